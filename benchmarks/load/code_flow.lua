-- A signed-in person's browser asks for a code, her app redeems it: two requests, one flow. One connection in each thread.
-- JOB sets: authorize (path and query up to the challenge), cookie, token (path), authorization, redirect_uri (encoded), pairs.
local job = dofile(os.getenv("JOB"))
local browser = { Cookie = job.cookie }
local app = { Authorization = job.authorization, ["Content-Type"] = "application/x-www-form-urlencoded" }
local code

function init()
  done_count, wrong_count = 0, 0
  turn = thread_id * 997
end

function request()
  if code then
    local pair = job.pairs[turn % #job.pairs + 1]
    local body = "grant_type=authorization_code&code=" .. code .. "&redirect_uri=" .. job.redirect_uri .. "&code_verifier=" .. pair[1]
    return wrk.format("POST", job.token, app, body)
  end
  turn = turn + 1
  return wrk.format("GET", job.authorize .. job.pairs[turn % #job.pairs + 1][2], browser)
end

function response(status, headers, body)
  if code then
    code = nil
    if status == 200 and body:find('"id_token"', 1, true) and body:find('"refresh_token"', 1, true) then
      done_count = done_count + 1
    else
      wrong_count = wrong_count + 1
    end
    return
  end
  local location = headers["Location"] or headers["location"] or ""
  code = location:match("[?&]code=([^&#]+)")
  if not code then wrong_count = wrong_count + 1 end
end

dofile(os.getenv("REPORT"))

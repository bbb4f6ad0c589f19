-- Each thread refreshes its own family, always with the token it was just given. JOB sets: token (path), authorization, tokens.
local job = dofile(os.getenv("JOB"))
local app = { Authorization = job.authorization, ["Content-Type"] = "application/x-www-form-urlencoded" }

function init()
  done_count, wrong_count = 0, 0
  live = job.tokens[thread_id]
end

function request()
  return wrk.format("POST", job.token, app, "grant_type=refresh_token&refresh_token=" .. live)
end

function response(status, headers, body)
  local successor = body:match('"refresh_token"%s*:%s*"([^"]+)"')
  if status == 200 and successor and body:find('"id_token"', 1, true) then
    live, done_count = successor, done_count + 1
  else
    wrong_count = wrong_count + 1
  end
end

dofile(os.getenv("REPORT"))

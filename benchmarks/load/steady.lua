-- One request over and over. JOB (a Lua file) sets: method, path, headers, body.
local job = dofile(os.getenv("JOB"))
wrk.method, wrk.path, wrk.headers, wrk.body = job.method, job.path, job.headers, job.body
local expected = job.status or 200

function init() done_count, wrong_count = 0, 0 end

function response(status)
  if status == expected then done_count = done_count + 1 else wrong_count = wrong_count + 1 end
end

dofile(os.getenv("REPORT"))

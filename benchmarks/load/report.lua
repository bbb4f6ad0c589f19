-- Numbers the threads, and at the end prints what was done as one line of JSON.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("thread_id", #threads)
end

function done(summary, latency)
  local completed, wrong = 0, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  for _, thread in ipairs(threads) do
    completed, wrong = completed + thread:get("done_count"), wrong + thread:get("wrong_count")
  end
  io.write(string.format('\nFIGURES {"done": %d, "wrong": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    completed, wrong, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end

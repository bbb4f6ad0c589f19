// Serves functions to the tests: a line of JSON calls one, a line of JSON answers.

import { createInterface } from "node:readline";

export async function serve(functions) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { call, with: given } = JSON.parse(line);
    let answer;
    try {
      answer = { returned: (await functions[call](given)) ?? null };
    } catch (error) {
      answer = { refused: describe(error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}

// These clients wrap: the outermost error says what happened in general, its causes what exactly.
function describe(error) {
  const { name, message, code = null } = error;
  const causes = [];
  for (let one = error; one instanceof Error; one = one.cause) causes.push(one.message);
  return { name, code, error: error.error ?? null, message: causes.join(": ") || message };
}

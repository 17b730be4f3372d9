// As little of a runtime as there can be: the next event, the handler, its answer.

import http from "node:http";

import { handler } from "./function.js";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime${path}` }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

for (;;) {
  const event = await call("GET", "/invocation/next");
  const answer = JSON.stringify(await handler(JSON.parse(event.body)));
  await call("POST", `/invocation/${event.headers["lambda-runtime-aws-request-id"]}/response`, answer);
}

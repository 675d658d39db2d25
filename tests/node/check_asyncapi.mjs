// Reads an AsyncAPI document from standard input, and writes what the parser makes of it as one JSON object.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
const channels = document ? document.channels().all() : [];
console.log(
  JSON.stringify({
    parsed: document !== undefined,
    diagnostics: diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path })),
    channels: channels.map((channel) => ({
      address: channel.address(),
      messages: channel.messages().all().map((message) => message.name()),
      parameters: channel.parameters().all().map((parameter) => parameter.id()),
      actions: channel.operations().all().map((operation) => operation.action()),
    })),
  }),
);

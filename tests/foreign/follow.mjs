// Follows a partner's view over MQTT with MQTT.js, as a supplier would: node follow.mjs mqtt://HOST:PORT PARTNER
// Writes a line whenever something came: what it was, and all that is held then.
import { createRequire } from "node:module";

const mqtt = createRequire(new URL("../node/package.json", import.meta.url))("mqtt");
const [url, partner] = process.argv.slice(2);
const held = new Map();
const tell = (told) => console.log(JSON.stringify({ told, held: Object.fromEntries(held) }));

const client = mqtt.connect(url, { reconnectPeriod: 200, resubscribe: false });
client.on("connect", () => {
  held.clear(); // what stands comes again
  tell([]);
  client.subscribe(`wr/1/feed/${partner}/#`, { qos: 1 });
});
client.on("message", (topic, payload) => {
  const text = payload.toString("utf8");
  if (text === "") held.delete(topic);
  else held.set(topic, JSON.parse(text));
  tell([topic, text]);
});
client.on("error", () => {}); // it tries again by itself

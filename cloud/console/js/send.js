// What the page asks the server to do. Nothing here sends by itself: a person has pressed Enter or a button.

const ANSWER_MS = 5000;

// Answers `{status, body}`, with status 0 where no answer came: then it is not known whether it was done.
async function ask(method, path, body, headers = {}) {
  try {
    const answer = await fetch(path, {
      method,
      headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    // One that was cut off on its way says nothing of what was done, however it began.
    const told = await answer.json().catch(() => null);
    return { status: told === null && answer.ok ? 0 : answer.status, body: told ?? {} };
  } catch {
    return { status: 0, body: {} };
  }
}

export const isDone = ({ status }) => status >= 200 && status < 300;

// Why it was not done, in words for a dispatcher.
export function trouble({ status, body }) {
  return status === 0 ? "no answer: it is not known whether it was done" : body.problem ?? `refused (${status})`;
}

// Why something could not be read: then there is nothing that may have been done.
export function unread(answer) {
  return answer.status === 0 ? "no answer" : trouble(answer);
}

// Why it was not done behind `word`, such as "not acknowledged", which nobody can say where no answer came.
export function refusal(answer, word) {
  return answer.status === 0 ? trouble(answer) : `${word}: ${trouble(answer)}`;
}

export const putOrder = (id, order) => ask("PUT", `v1/orders/${id}`, order);
export const cancelOrder = (id, by, reason) => ask("POST", `v1/orders/${id}/cancel`, { by, reason });
export const closeOrder = (id, by, reason) => ask("POST", `v1/orders/${id}/close`, { by, reason });
// `alarms`: how many of the order's alarms the page shows. One that comes meanwhile is not taken in hand unseen.
export const acknowledgeAlarms = (id, by, alarms) => ask("POST", `v1/orders/${id}/alarms/acknowledge`, { by, alarms });
export const acknowledgeAlarm = (id, by) => ask("POST", `v1/alarms/${encodeURIComponent(id)}/acknowledge`, { by });
export const cancelAlarm = (id, by, reason) => ask("POST", `v1/alarms/${encodeURIComponent(id)}/cancel`, { by, reason });
export const listBases = () => ask("GET", "v1/bases");
export const readHealth = () => ask("GET", "healthz");

const enc = encodeURIComponent;
export const readScheme = (unit) => ask("GET", `v1/units/${enc(unit)}/scheme`);
// `key`: the same word under the same key is stored once.
export const sayStatus = (unit, word, key) => ask("POST", `v1/units/${enc(unit)}/status`, word, { "Idempotency-Key": key });
// `how`: `confirm` or `refuse`.
export const decideClaim = (claim, how, word) => ask("POST", `v1/bindings/${enc(claim)}/${how}`, word);
// `how`: `lend`, `return`, `split`, `rejoin` or `unbind`.
export const bindUnit = (unit, how, word) => ask("POST", `v1/units/${enc(unit)}/${how}`, word);
export const listModes = () => ask("GET", "v1/modes");
export const setMode = (mode) => ask("POST", "v1/modes", mode);
export const recommendUnits = (wanted) => ask("GET", `v1/recommend?${new URLSearchParams(wanted)}`);
export const listPartners = () => ask("GET", "v1/partners");
export const readSharing = (unit) => ask("GET", `v1/units/${enc(unit)}/sharing`);
export const readSeen = (unit, since) => ask("GET", `v1/units/${enc(unit)}/seen?${new URLSearchParams({ since })}`);
export const listAgreements = () => ask("GET", "v1/agreements");
export const listIncidents = () => ask("GET", "v1/major-incidents");
export const listAccess = () => ask("GET", "v1/emergency-access");
export const listLoans = () => ask("GET", "v1/loans");
export const listCovers = () => ask("GET", "v1/covers");
// `how`: `withdraw` or `restore`.
export const decideAgreement = (agreement, how, word) => ask("POST", `v1/agreements/${enc(agreement)}/${how}`, word);
export const declareIncident = (word) => ask("POST", "v1/major-incidents", word);
export const endIncident = (name, word) => ask("POST", `v1/major-incidents/${enc(name)}/end`, word);
export const openAccess = (word) => ask("POST", "v1/emergency-access", word);
export const endAccess = (access, word) => ask("POST", `v1/emergency-access/${enc(access)}/end`, word);
export const sayOfLoan = (message) => ask("POST", "v1/loans", message);
// `how`: `take-over` or `hand-back`.
export const decideCover = (cover, how, word) => ask("POST", `v1/covers/${enc(cover)}/${how}`, word);
export const listRooms = () => ask("GET", "v1/control-rooms");

// When something ends, as a person writes it: `30m`, `2h`, `1h30`, `3d`, or a time of day such as `14:30`. Pure.

const MINUTE_MS = 60000;
const SPAN = /^(?:(\d{1,3})d)?(?:(\d{1,3})h)?(?:(\d{1,3})m?)?$/;

// The moment in milliseconds; null for what is none. A time of day is the next one, by the clock of this place.
export function untilMs(text, nowMs) {
  const typed = text.trim().toLowerCase();
  const clock = /^(\d{1,2}):(\d{2})$/.exec(typed);
  if (clock) return nextTime(Number(clock[1]), Number(clock[2]), nowMs);
  const span = /[dhm]/.test(typed) ? SPAN.exec(typed) : null;
  if (!span) return null;
  const [days, hours, minutes] = span.slice(1).map((figure) => Number(figure ?? 0));
  const lasts = (days * 24 + hours) * 60 + minutes;
  return lasts > 0 ? nowMs + lasts * MINUTE_MS : null;
}

function nextTime(hour, minute, nowMs) {
  if (hour > 23 || minute > 59) return null;
  const found = new Date(nowMs);
  found.setHours(hour, minute, 0, 0);
  if (found.getTime() <= nowMs) found.setDate(found.getDate() + 1);
  return found.getTime();
}

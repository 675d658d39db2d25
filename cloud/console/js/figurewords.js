// What the figures say in words: durations, shares, moments. Pure.

const CLASSES = { Available: "Available", ConditionallyAvailable: "Conditional", NotAvailable: "Not available" };
const PAINTS = { Available: "available", ConditionallyAvailable: "conditional", NotAvailable: "off" };
const LEFT_OUT = {
  service_down: "no board was shown", not_on_board: "not on the board", forgotten: "past what is kept", test: "test",
  training: "training", maintenance: "maintenance", commissioning: "commissioning",
};
const GAPS = { late: "late", lost: "lost", never: "never heard", service_down: "no board" };

export const className = (one) => CLASSES[one] ?? "no class";
export const classPaint = (one) => PAINTS[one] ?? "none";
export const leftOutWord = (reason) => LEFT_OUT[reason] ?? reason;
export const gapWord = (kind) => GAPS[kind] ?? kind;

// `41 s`, `12 min 5 s`, `5 h 12 min`, `1 234 h`.
export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${Math.round(seconds * 10) / 10} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 360000) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${grouped(Math.round(whole / 3600))} h`;
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, " ");
}

export function share(part, whole) {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : "–";
}

export const hours = (value) => value.toFixed(2);
export const seconds = (value) => (value === null ? "–" : duration(value));
export const hourWord = (hour) => `${String(hour).padStart(2, "0")}:00`;

// `22 Nov 2026, 14:02:11`, by the clocks of `zone`.
export function moment(text, zone) {
  const date = new Date(text);
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: zone });
  return `${day}, ${date.toLocaleTimeString("en-GB", { timeZone: zone })}`;
}

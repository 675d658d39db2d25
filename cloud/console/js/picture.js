// The fold of feed events into the units, orders and alarms as they stand. Pure: no clock, no page.

// One unit as the feed last told it, and the server's time of that event, from which its ages count.
// A picture is a Map from unit to such an entry.

export class Broken extends Error {}

// A new collection of the parts of a snapshot, from its first part.
function collectionFrom(part) {
  return { epoch: part.epoch, parts: part.parts, next: 1, units: new Map(), orders: new Map(), alarms: new Map() };
}

// Fold one part of a snapshot. Returns the collection, complete when `next > parts`.
// Throws Broken where a part is missing or belongs to another snapshot.
export function collect(collection, part, atMs) {
  const into = part.part === 1 ? collectionFrom(part) : collection;
  if (!into || into.next !== part.part || into.epoch !== part.epoch || into.parts !== part.parts) {
    throw new Broken("a part of the snapshot is missing");
  }
  // A change that came between two parts is newer than the rest of the snapshot.
  replace(into.units, part.records.filter((record) => !isNewer(into.units.get(record.unit), record)), atMs);
  into.next += 1;
  return into;
}

function isNewer(held, record) {
  return held !== undefined && held.record.cursor > record.cursor;
}

export function isComplete(collection) {
  return collection.next > collection.parts;
}

// Replace each order by its id. An older version than the one that is held is no news.
export function replaceOrders(orders, views) {
  for (const view of views) {
    if (!(orders.get(view.order)?.version > view.version)) orders.set(view.order, view);
  }
}

// Replace each alarm by its id. One that is no longer to be shown is dropped.
export function replaceAlarms(alarms, views) {
  for (const view of views) {
    if (view.active) alarms.set(view.alarm, view);
    else alarms.delete(view.alarm);
  }
}

// Replace each record by its unit.
export function replace(units, records, atMs) {
  for (const record of records) units.set(record.unit, { record, atMs });
}

// Let go of units, and of their alarms.
export function letGo({ units, alarms }, gone) {
  for (const unit of gone) units.delete(unit);
  for (const [id, alarm] of gone.length ? alarms : []) if (gone.includes(alarm.unit)) alarms.delete(id);
}

// Where somebody may be wanted: the orders in hand, a point of the map, where a unit is.

import { placeOf } from "./gridref.js";
import { isPositionNow } from "./words.js";

// `[{key, text, lat, lon, given}]`, the likeliest first. `given` is what an order for that place begins with. `page`:
// orders, map, feed and `bases()`; `selected` is the record that is selected, null for none.
export function placesOf(page, selected) {
  const { focused, rest } = ordersOf(page);
  const { clicked, middle } = page.map.points;
  const found = [
    ...focused,
    clicked && { key: "clicked", text: `Map: the point clicked, ${degrees(clicked)}`, ...clicked, given: { grid: degrees(clicked) } },
    ...rest,
    middle && { key: "middle", text: `Map: its middle, ${degrees(middle)}`, ...middle, given: {} },
    unitPlace(page, selected),
  ];
  return found.filter(Boolean);
}

// The same place as it is now: a unit moves on. Null where it is not known any more.
export function placeNow(page, place) {
  return place.unit === undefined ? place : unitPlace(page, page.feed.units.get(place.unit)?.record);
}

function ordersOf({ orders, bases }) {
  const focused = orders.focusedOrder();
  const chosen = orders.chosen;
  const order = [focused, ...orders.orders.filter((one) => one === chosen), ...orders.orders.filter((one) => one !== chosen)];
  const all = [...new Set(order.filter(Boolean))].map((one) => ({ one, place: orderPlace(one, bases()) })).filter(({ place }) => place);
  return {
    focused: all.filter(({ one }) => one === focused).map(({ place }) => place),
    rest: all.filter(({ one }) => one !== focused).map(({ place }) => place),
  };
}

// An order's place by its grid reference, else its station's: then it says so.
function orderPlace(order, bases) {
  const name = order.incident || "Order";
  const given = { incident: order.incident, address: order.address, grid: order.grid_reference };
  const place = placeOf(order.grid_reference);
  if (place) return { key: order.order, text: `${name}: ${order.grid_reference}`, ...place, given };
  const base = [...bases.values()].find((one) => one.base === order.base);
  if (!base) return null;
  return { key: order.order, text: `${name}: its station ${order.base_name}, no grid reference`, lat: base.lat, lon: base.lon, given };
}

function unitPlace({ feed }, record) {
  const { lat, lon } = record?.position ?? {};
  if (!Number.isFinite(lat) || !Number.isFinite(lon)) return null;
  const now = isPositionNow(record, feed.state === "live") ? "is" : "was last seen";
  return { key: `unit ${record.unit}`, text: `Where ${record.callsign} ${now}`, lat, lon, given: {}, unit: record.unit };
}

function degrees({ lat, lon }) {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}

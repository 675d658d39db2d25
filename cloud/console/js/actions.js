// What a person can ask of the page, by key or by click. Nothing here sends but `acknowledge` pressed once more on what
// has been gone to: the rest opens a form, and Enter in that sends.

import { isOpen } from "./alarmwords.js";
import { wordsOf } from "./find.js";
import { VIEWS } from "./keys.js";
import { openAlarms } from "./orderwords.js";
import { markView } from "./views.js";

const REPLAY_AGO_MS = 10000;

// `page` is what board.js has put together: nodes, feed, drawing, grid, detail, orders, alarms, forms, mobilising, map,
// screen, control, `say(text)` and `take(order)`.
export function actionsOf(page) {
  const { nodes } = page;
  const does = { ...boardActions(page), ...lookActions(page), ...orderActions(page), ...page.control.actions };

  // Leave what is open, one at a time: a form, the help, the detail, the search.
  does.close = () => {
    if (page.forms.leave() || page.control.leave()) return;
    if (!nodes.help.hidden) nodes.help.hidden = true;
    else if (nodes.side.contains(document.activeElement) || nodes.map.contains(document.activeElement)) nodes.grid.focus();
    else if (page.detail.isOpen) page.detail.close();
    else if (nodes.find.value) does.search("");
    else if (page.control.recommending.isOpen) page.control.leaveList();
    nodes.grid.focus();
  };
  return does;
}

// Which unit is selected, and what is shown of it.
function boardActions({ nodes, feed, drawing, grid, detail, forms, mobilising, map, screen, say }) {
  const choose = (unit) => {
    if (unit !== null && !feed.units.has(unit)) return say("No such unit on this feed");
    grid.select(unit);
    drawing.showRows();
    map.select(unit);
    if (unit !== null) say(`Selected ${feed.units.get(unit).record.callsign}`);
    if (detail.isOpen && unit !== null) drawing.detailOf(unit);
  };
  const search = (text) => {
    nodes.find.value = text;
    drawing.words = wordsOf(text);
    drawing.placeSoon();
  };
  const view = (chosen) => {
    drawing.view = chosen;
    markView(nodes.views, chosen);
    search("");
  };
  const after = (found) => {
    drawing.drawNow();
    choose(found());
  };
  return {
    choose,
    search,
    view,
    along: (step) => after(() => grid.along(step)),
    beside: (step) => after(() => grid.beside(step)),
    find() {
      nodes.find.focus();
      nodes.find.select();
    },
    leaveFind() {
      drawing.drawNow();
      const unit = drawing.words.length > 0 ? grid.first : grid.selected ?? grid.first;
      if (unit) choose(unit);
      nodes.grid.focus();
    },
    // Go to a unit's row, whatever the view and the search. Who is typing in a form goes on there.
    findUnit(unit) {
      if (!feed.units.has(unit)) return say("No such unit on this feed");
      if (!drawing.holds(unit)) view(VIEWS[0]);
      after(() => unit);
      grid.row(unit).element.scrollIntoView({ block: "nearest" });
      if (!forms.isOpen) nodes.grid.focus();
    },
    openDetail() {
      drawing.drawNow();
      if (!grid.selected) return;
      drawing.detailOf(grid.selected);
      detail.open(!screen.hasMap && grid.isSelectedRight());
    },
    mobilise() {
      drawing.drawNow();
      const selected = grid.selected ?? null;
      mobilising.open(selected === null ? null : feed.units.get(selected)?.record ?? null);
    },
  };
}

// What is in sight.
function lookActions({ nodes, drawing, screen, map, say }) {
  return {
    toggleHelp() {
      nodes.help.hidden = !nodes.help.hidden;
      (nodes.help.hidden ? nodes.grid : nodes.help).focus();
    },
    // From a map that goes out of sight the focus goes back to the board.
    toggleMap() {
      screen.toggleMap();
      if (!screen.hasMap && nodes.map.contains(document.activeElement)) nodes.grid.focus();
      say(screen.hasMap ? "Map" : "No map: F7 shows it");
    },
    toggleWide() {
      screen.toggleWide();
      nodes.grid.focus();
      say(screen.isWide ? "Wide table: F8 ends it" : "");
    },
    // Leave for the board as it was a moment ago, by the server's clock; Esc there comes back.
    replay() {
      const here = new URL(location.href);
      here.searchParams.set("at", new Date(drawing.serverMs - REPLAY_AGO_MS).toISOString());
      location.assign(here);
    },
    goToMap() {
      if (!map.focus()) say("No map in sight: F7 shows it");
    },
    // Go to the timeline, and from it back to the board.
    timeline() {
      if (document.activeElement === nodes.timeline) {
        screen.showTimeline(false);
        nodes.grid.focus();
        return;
      }
      screen.showTimeline(true);
      nodes.timeline.focus();
    },
  };
}

// Orders, alarms, emergencies and speech requests.
function orderActions({ nodes, orders, alarms, control, take, say }) {
  return {
    // The alarms of one order, or one station alarm, at a time: first it is gone to, so that what is taken in hand has
    // been seen.
    acknowledge() {
      const focused = orders.focusedOrder();
      if (focused && openAlarms(focused).length > 0) return void take(focused);
      const line = alarms.stations.focused;
      if (line && isOpen(line)) return void alarms.take(line);
      const alarmed = orders.orders.find((order) => openAlarms(order).length > 0);
      if (alarmed) orders.focus(alarmed.order);
      else if (alarms.stations.firstOpen) alarms.stations.focus(alarms.stations.firstOpen.alarm);
      else return say("No alarms");
      say(`A again takes this ${alarmed ? "order's alarms" : "alarm"} in hand`);
    },
    emergency: () => alarms.openNext(),
    speech: () => alarms.goToSpeech(),
    orders() {
      if (!orders.focus() && !alarms.speech.focus() && !control.claims.focus() && !alarms.stations.focus()) say("No orders in hand");
    },
    alongOrders(step) {
      const stops = [...nodes.orders.querySelectorAll(".order, .speech-request, .claim, .station-alarm")];
      const from = stops.findIndex((stop) => stop.contains(document.activeElement));
      const stop = stops[Math.max(0, Math.min(stops.length - 1, from + step))];
      stop?.focus();
      stop?.scrollIntoView({ block: "nearest" });
    },
  };
}

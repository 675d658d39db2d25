"""Programs that others wrote follow a partner's view through restarts of everything, and end equal to the server's."""

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.brokers import RunningBroker
from tests.foreign.clients import Client, Curl, MosquittoSub, MqttJs
from tests.foreign.room import CANARY, Room
from tests.waiting import wait_until

FOLLOWS_WITHIN_S = 15.0
"""Some clients try again every second or more seldom, and the machine is busy."""


class Clients(NamedTuple):
    """One of each kind."""

    mosquitto: MosquittoSub
    mqttjs: MqttJs
    curl: Curl


@contextlib.contextmanager
def following(folder: Path, room: Room, port: int) -> Iterator[Clients]:
    """Clients that follow the ambulance service's view."""
    clients: list[Client] = []
    try:
        clients.append(mosquitto := MosquittoSub(folder / "client-mosquitto", port))
        clients.append(mqttjs := MqttJs(folder / "client-mqttjs", port))
        clients.append(curl := Curl(folder / "client-curl", room.feed_url))
        yield Clients(mosquitto, mqttjs, curl)
    finally:
        for client in clients:
            client.close()


def equal(room: Room, clients: Clients, *units: str) -> None:
    """Wait until the server shows exactly these units, and each client holds what the server shows."""
    wait_until(lambda: set(units) == set(room.view()), what=f"the server shows {units}")
    for client in clients:
        held = partial(_is_equal, room, client)
        wait_until(held, what=f"{type(client).__name__} holds what the server shows", deadline_s=FOLLOWS_WITHIN_S)


def _is_equal(room: Room, client: Client) -> bool:
    return room.view() == client.view()


def test_clients_of_others_end_equal_to_the_server(fresh_nats: RunningBroker, tmp_path: Path) -> None:
    """mosquitto_sub, MQTT.js and curl follow through a crash of the broker and one of the server, while units change.

    Each ends with the units and fields that the server shows to that partner. None ever received a word of a unit or a
    field that it may not see, nor anything of one after the agreement was withdrawn.
    """
    room = Room(tmp_path, fresh_nats.url)
    with contextlib.ExitStack() as stack:
        stack.callback(room.kill)
        room.start()
        clients = stack.enter_context(following(tmp_path, room, fresh_nats.port))
        equal(room, clients, "p1", "p2", "p3")
        for unit in ("p1", "p4", "canary-5", "canary-6"):
            room.say(unit, "2")
        equal(room, clients, "p1", "p2", "p3")

        fresh_nats.kill()
        clients.curl.cut()
        room.say("p2", "5")
        wait_until(room.trouble, what="it is said that nothing is published")
        fresh_nats.start()
        equal(room, clients, "p1", "p2", "p3")
        assert 1 == clients.curl.kinds().count("snapshot")  # it went on where it was
        wait_until(lambda: not room.trouble(), what="it is published again")

        room.kill()
        room.cover("p2", "p3", "p4")
        room.start()
        room.say("p3", "6")
        equal(room, clients, "p2", "p3", "p4")

        room.withdraw("boundaries")
        equal(room, clients)
        told, ticks = [client.heard.count('"p2"') for client in clients], clients.curl.kinds().count("tick")
        room.say("p2", "2")
        wait_until(lambda: clients.curl.kinds().count("tick") > ticks + 1, what="two more signs of life")
        assert told == [client.heard.count('"p2"') for client in clients]
        assert 0 < min(told)
        assert not [client for client in clients if CANARY in client.heard.lower()]
        assert "Traceback" not in room.log

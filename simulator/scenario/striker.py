"""Makes each kind of fault happen, and undoes it."""

from pathlib import Path
from random import Random

from simulator.scenario.clock import elapse
from simulator.scenario.crews import Crews
from simulator.scenario.faults import Kind
from simulator.scenario.machine import Machine
from simulator.scenario.world import World

LONG_S = 13 * 3600.0
LONG_PRESSES = 40
MACHINES_MAX = 6


class Striker:
    """Makes each fault happen, and undoes it."""

    def __init__(self, world: World, chance: Random) -> None:
        """Nothing has happened yet."""
        self.world, self.chance = world, chance

    async def strike(self, kind: Kind) -> None:
        """Wait for a moment, strike, and heal what can be healed."""
        await elapse(self.chance.uniform(0.0, self.world.faults.within_s))
        await getattr(self, f"_{kind}")()

    async def heal(self) -> None:
        """Undo whatever is left."""
        world = self.world
        self._take_copies_away()
        for weather in (world.cloud.weather, *(machine.way.weather for machine in world.machines)):
            weather.clear_up()
        for machine in world.machines:
            machine.medium.full = False
            if machine.way.weather.up_cut or machine.way.weather.down_cut:
                machine.way.cut(up=False, down=False)
            machine.start(reboot=True)
        world.cloud.full = False
        world.cloud.start()

    def _take_copies_away(self) -> None:
        """Of machines that speak as one device, leave one."""
        left: set[str] = set()
        for machine in self.world.machines:
            if machine.device in left and not machine.retired:
                machine.kill(soon=False)
                machine.retired = True
                self.world.story.tell(machine.name, "is taken away")
            elif not machine.retired:
                left.add(machine.device)

    def _pick(self) -> Machine:
        return self.chance.choice([machine for machine in self.world.machines if not machine.retired])

    async def _for(self, low_s: float, high_s: float) -> None:
        await elapse(self.chance.uniform(low_s, high_s))

    async def _weather(self, **changes: object) -> None:
        weather = self.chance.choice([self._pick().way.weather, self.world.cloud.weather])
        before = {name: getattr(weather, name) for name in changes}
        for name, value in changes.items():
            setattr(weather, name, value)
        await self._for(20, 120)
        for name, value in before.items():
            setattr(weather, name, value)

    async def _loss(self) -> None:
        await self._weather(loss=self.chance.uniform(0.05, 0.5))

    async def _duplication(self) -> None:
        await self._weather(duplication=self.chance.uniform(0.1, 0.9))

    async def _reorder(self) -> None:
        await self._weather(reorder=True, delay_s=(0.0, self.chance.uniform(0.2, 3.0)))

    async def _delay(self) -> None:
        await self._weather(delay_s=(0.5, self.chance.uniform(1.0, 4.0)))

    async def _partition(self) -> None:
        machine = self._pick()
        self.world.story.tell(machine.name, "is cut off")
        machine.way.cut(up=True, down=True)
        await self._for(5, 120)
        machine.way.cut(up=False, down=False)
        self.world.story.tell(machine.name, "is joined again")

    async def _one_way(self) -> None:
        machine = self._pick()
        up = self.chance.random() < 0.5
        self.world.story.tell(machine.name, "is cut off one way", up=up)
        machine.way.cut(up=up, down=not up)
        await self._for(5, 90)
        machine.way.cut(up=False, down=False)

    async def _backlog(self) -> None:
        """What a device said before it died is delivered long after, as if now."""
        duration_s = self.chance.uniform(10, 60)
        self.world.broker.hold(duration_s)
        machine = self._pick()
        await elapse(duration_s * self.chance.uniform(0.1, 0.9))
        if self.chance.random() < 0.7:
            machine.kill(soon=self.chance.random() < 0.5)
            await elapse(duration_s + 20)
            machine.start(reboot=self.chance.random() < 0.5)

    async def _broker_restart(self) -> None:
        down_s = self.chance.uniform(0.2, 40)
        self.world.broker.restart(forgets=self.chance.random() < 0.5, down_s=down_s)
        await elapse(down_s)

    async def _agent_kill(self) -> None:
        machine = self._pick()
        if self.chance.random() < 0.6:  # in the middle of a press
            Crews(self.world, self.chance).push(machine)
            await elapse(self.chance.choice((0.0, 0.002, 0.01, 0.03, 0.1, 0.3)) * self.chance.random())
        machine.kill()
        await self._for(0.3, 30)
        machine.start(reboot=False)

    async def _power_cut(self) -> None:
        machine = self._pick()
        if self.chance.random() < 0.5:
            Crews(self.world, self.chance).push(machine)
            await elapse(0.05 * self.chance.random())
        machine.kill(soon=False)
        await self._for(3, 60)
        machine.start(reboot=True)

    async def _cloud_kill(self) -> None:
        self.world.cloud.kill()
        await self._for(0.5, 30)
        self.world.cloud.start()

    async def _disk_full(self) -> None:
        machine = self._pick()
        self.world.story.tell(machine.name, "its disk takes nothing")
        machine.medium.full = True
        await self._for(5, 60)
        machine.medium.full = False
        self.world.story.tell(machine.name, "its disk takes again")

    async def _ledger_full(self) -> None:
        self.world.story.tell("cloud", "its disk takes nothing")
        self.world.cloud.full = True
        await self._for(5, 60)
        self.world.cloud.full = False
        self.world.story.tell("cloud", "its disk takes again")

    async def _damage(self) -> None:
        machine = self._pick()
        machine.kill(soon=False)
        path = machine.medium.folder / "outbox.db"
        if path.exists():
            raw = bytearray(path.read_bytes())
            for _ in range(self.chance.choice((1, 4, 64))):
                raw[self.chance.randrange(len(raw))] ^= self.chance.randrange(1, 256)
            path.write_bytes(raw if self.chance.random() < 0.8 else raw[: len(raw) // 2])
            self.world.story.tell(machine.name, "its outbox is damaged")
        machine.spoil()
        self.world.checkers.note_medium_lost()
        await self._for(1, 10)
        machine.start(reboot=True)

    async def _clone(self) -> None:
        """Somebody copies a card, and two devices speak as one until one of them is taken away."""
        machine = self._pick()
        if len(self.world.machines) >= MACHINES_MAX:
            return
        name = f"{machine.name}-copy{len(self.world.machines)}"
        copy = self.world.add(name, machine.device)
        copy.medium.replace_by(machine.medium.folder)
        copy.spoil()
        machine.spoil()
        copy.forked = machine.forked = True
        self.world.story.tell(name, "is a copy", of=machine.name)
        copy.start(reboot=True)
        await self._for(20, 120)
        leaves, stays = (copy, machine) if self.chance.random() < 0.5 else (machine, copy)
        leaves.kill(soon=False)
        leaves.retired = True
        stays.spoil()
        self.world.story.tell(leaves.name, "is taken away")
        stays.start(reboot=True)

    async def _swapped_card(self) -> None:
        """A blank card; sometimes the old one comes back later."""
        machine = self._pick()
        machine.kill(soon=False)
        old = machine.medium.snapshot(f"old-card-{self.world.loop.time():.0f}")
        self.world.story.tell(machine.name, "gets a blank card")
        machine.medium.replace_by(None)
        machine.spoil()
        self.world.checkers.note_medium_lost()
        await self._for(1, 10)
        machine.start(reboot=True)
        if self.chance.random() < 0.4:
            await self._for(10, 60)
            await self._put_in(machine, old)

    async def _put_back(self) -> None:
        """An older copy of the card is put back."""
        machine = self._pick()
        old = machine.medium.snapshot(f"kept-{self.world.loop.time():.0f}")
        await self._for(5, 60)
        await self._put_in(machine, old)

    async def _put_in(self, machine: Machine, card: Path) -> None:
        machine.kill(soon=False)
        self.world.story.tell(machine.name, "gets an old card back")
        machine.forked = True
        machine.medium.replace_by(card)
        machine.spoil()
        self.world.checkers.note_medium_lost()
        await self._for(1, 10)
        machine.start(reboot=True)

    async def _clock_step(self) -> None:
        machine = self._pick()
        step_s = self.chance.choice((-90_000.0, -3600.0, -30.0, -4.0, 4.0, 30.0, 3600.0, 90_000.0))
        self.world.story.tell(machine.name, "its clock is stepped", by_s=step_s)
        machine.clock.wrong_s = machine.wrong_s = machine.wrong_s + step_s
        machine.synchronised = machine.has_receiver and self.chance.random() < 0.5
        await self._for(5, 60)
        machine.clock.wrong_s = machine.wrong_s = 0.0
        machine.synchronised = True

    async def _wrong_hour(self) -> None:
        """The clock is an hour off from the start, and says that it is disciplined."""
        machine = self._pick()
        machine.has_receiver = False
        machine.kill(soon=False)
        machine.wrong_s = self.chance.choice((-3600.0, 3600.0))
        machine.synchronised = True
        machine.start(reboot=True)
        await self._for(30, 90)
        machine.wrong_s = machine.clock.wrong_s = 0.0

    async def _drift(self) -> None:
        machine = self._pick()
        machine.kill()
        machine.drift = self.chance.uniform(-50e-6, 50e-6)
        machine.start(reboot=True)

    async def _links_out_of_order(self) -> None:
        """Old births and deaths are told again, in any order."""
        told: list[tuple[str, bytes]] = []
        self.world.broker.on_link = lambda topic, payload: told.append((topic, payload))
        machine = self._pick()
        for _ in range(self.chance.randint(1, 3)):
            machine.kill(soon=self.chance.random() < 0.7)
            await self._for(0.5, 8)
            machine.start(reboot=self.chance.random() < 0.5)
            await self._for(1, 20)
            for topic, payload in self.chance.sample(told, min(len(told), 4)):
                self.world.broker.inject(topic, payload)

    async def _second_device(self) -> None:
        """The panel at the station speaks for the same unit; it comes and goes."""
        panel = next(machine for machine in self.world.machines if machine.device == "panel")
        panel.way.cut(up=True, down=True)
        await self._for(10, 60)
        panel.way.cut(up=False, down=False)

    async def _cloud_restored(self) -> None:
        restore = self.world.cloud.back_up()
        await self._for(5, 60)
        self.world.cloud.kill()
        before = self.world.checkers.ledger_keys()
        restore()
        self.world.checkers.check_restored(before)
        await self._for(1, 10)
        self.world.cloud.start()

    async def _long_offline(self) -> None:
        machine = self._pick()
        machine.way.cut(up=True, down=True)
        crews = Crews(self.world, self.chance)
        for _ in range(LONG_PRESSES):
            await elapse(LONG_S / LONG_PRESSES)
            crews.push(machine)
        machine.way.cut(up=False, down=False)

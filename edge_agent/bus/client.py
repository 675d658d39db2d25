"""One connection to a Modbus line. The only module that knows pymodbus.

What was measured with pymodbus 3.16: on a serial line, after a timeout or a cancelled read, the late reply is handed
out as that of the next request, without an error. So: no retries, no reconnecting by itself, each answer checked for
function, length and echo, and after any failure close, quiet, flush, open.
"""

import asyncio
import logging
import termios
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from edge_agent.clock import Clock
from edge_agent.config.buses import BusSettings
from edge_agent.decode.modbus import Function, Span
from edge_agent.errors import Retryable

logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)  # it tells each timeout; we tell the first

T = TypeVar("T")
AnyClient = AsyncModbusTcpClient | AsyncModbusSerialClient

_CODES: dict[Function, int] = {"coil": 1, "discrete_input": 2, "holding_register": 3, "input_register": 4}
_WRITE_COIL, _WRITE_REGISTER, _WRITE_REGISTERS = 5, 6, 16
_EXCEPTION_BIT = 0x80
_GATEWAY_CODES = (10, 11)
"""A gateway's word that the slave behind it doesn't answer."""
_REASONS = {
    1: "function not known",
    2: "no such address",
    3: "value not allowed",
    4: "device failure",
    5: "still at it",
    6: "device busy",
    7: "can't be done",
    8: "memory error",
}


class Unanswered(Retryable):
    """No answer came, or one that can't be that of the request. What the slave did with it isn't known."""


class Refusal(msgspec.Struct, frozen=True):
    """The slave answered that it won't: a Modbus exception."""

    code: int

    def __str__(self) -> str:
        """Say why, for a person."""
        return f"exception {self.code}, {_REASONS.get(self.code, 'unknown')}"


class Client:
    """Speaks on one line, one request at a time; its owner never asks a second before the first has ended."""

    def __init__(self, settings: BusSettings, *, clock: Clock) -> None:
        """Nothing is opened before the first request."""
        self._settings = settings
        self._clock = clock
        self._client: AnyClient | None = None
        self._quiet_until_s = clock.monotonic()
        self._unreachable = f"can't be reached: {settings.place} does not open"

    async def read(self, slave: int, span: Span) -> tuple[int, ...] | Refusal:
        """Read `span`, exactly as many bits (0 and 1) or registers as asked for. Raises Unanswered."""

        def ask(client: AnyClient) -> Awaitable[ModbusPDU]:
            reads = {
                "coil": client.read_coils,
                "discrete_input": client.read_discrete_inputs,
                "holding_register": client.read_holding_registers,
                "input_register": client.read_input_registers,
            }
            return reads[span.function](span.address, count=span.count, device_id=slave)

        def take(answer: ModbusPDU) -> tuple[int, ...]:
            of_bits = span.function in ("coil", "discrete_input")
            data = answer.bits if of_bits else answer.registers
            if len(data) != (-(-span.count // 8) * 8 if of_bits else span.count):
                raise Unanswered("answers with a wrong length")
            return tuple(map(int, data[: span.count]))

        return await self._exchange(_CODES[span.function], ask, take)

    async def write_coil(self, slave: int, address: int, on: bool) -> Refusal | None:
        """Write one coil. Raises Unanswered."""

        def take(answer: ModbusPDU) -> None:
            _insist(answer.address == address and list(answer.bits[:1]) == [on])

        return await self._exchange(_WRITE_COIL, lambda client: client.write_coil(address, on, device_id=slave), take)

    async def write_registers(self, slave: int, address: int, words: tuple[int, ...]) -> Refusal | None:
        """Write one register, or several in one request. Raises Unanswered."""

        def take_one(answer: ModbusPDU) -> None:
            _insist(answer.address == address and tuple(answer.registers) == words)

        def take_several(answer: ModbusPDU) -> None:
            _insist(answer.address == address and answer.count == len(words))

        if len(words) == 1:
            return await self._exchange(
                _WRITE_REGISTER, lambda client: client.write_register(address, words[0], device_id=slave), take_one
            )
        return await self._exchange(
            _WRITE_REGISTERS,
            lambda client: client.write_registers(address, list(words), device_id=slave),
            take_several,
        )

    def close(self) -> None:
        """Close the line: before the next request it is quiet, flushed, and opened anew."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self._quiet_until_s = self._clock.monotonic() + self._settings.quiet_ms / 1000

    async def _exchange(
        self,
        code: int,
        ask: Callable[[AnyClient], Awaitable[ModbusPDU]],
        take: Callable[[ModbusPDU], T],
    ) -> T | Refusal:
        """Ask once, and take the answer if it can be that of what was asked; else close the line."""
        try:
            answer = await ask(await self._opened())
            if answer.function_code == code | _EXCEPTION_BIT and answer.exception_code not in _GATEWAY_CODES:
                return Refusal(answer.exception_code)
            if answer.function_code == code | _EXCEPTION_BIT:
                raise Unanswered("does not answer its gateway")
            _insist(answer.function_code == code)
            return take(answer)
        except (ModbusException, OSError, termios.error) as error:
            self.close()
            raise Unanswered("does not answer") from error
        except (Unanswered, asyncio.CancelledError):
            self.close()
            raise

    async def _opened(self) -> AnyClient:
        if self._client is not None and not self._client.connected:  # the other end closed it, with nothing in flight
            self._client.close()
            self._client = None
        if self._client is None:
            while (left_s := self._quiet_until_s - self._clock.monotonic()) > 0.0:
                await self._clock.sleep(left_s)
            self._client = self._make()
            if not await self._client.connect():
                raise Unanswered(self._unreachable)
        return self._client

    def _make(self) -> AnyClient:
        settings, timeout_s = self._settings, self._settings.timeout_ms / 1000
        if settings.transport == "tcp":
            host = str(settings.host)
            return AsyncModbusTcpClient(host, port=settings.port, timeout=timeout_s, retries=0, reconnect_delay=0)
        path = str(settings.path)  # opening it throws away what was received meanwhile: pyserial flushes
        return AsyncModbusSerialClient(
            path,
            baudrate=settings.baud,
            parity=settings.parity,
            stopbits=settings.stop_bits,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
        )


def _insist(is_answer: bool) -> None:
    if not is_answer:
        raise Unanswered("answers something else than was asked")

"""`python -m tests.faults.slow_clients PORT COUNT headers|body`: clients that send a byte a second.

A process of their own, so that the honest clients of the test do not share a thread with them.
Prints how long the most patient connection was held, in seconds.
"""

import asyncio
import contextlib
import sys
import time

STARTS = {
    "headers": b"POST /v1/capt",
    "body": b"POST /v1/captions HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    b"Content-Length: 100000\r\n\r\n",
}
LONGEST_S = 60.0


async def drip(port: int, start: bytes) -> float:
    """One byte a second after `start`, until the server hangs up; the seconds that took."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        writer.write(start)
        closed = asyncio.create_task(reader.read())
        while not closed.done() and time.monotonic() - began < LONGEST_S:
            writer.write(b"x")
            await writer.drain()
            await asyncio.wait((closed,), timeout=1)
    writer.close()
    return time.monotonic() - began


async def main(port: int, count: int, kind: str) -> float:
    return max(await asyncio.gather(*(drip(port, STARTS[kind]) for _ in range(count))))


if __name__ == "__main__":
    print(asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))

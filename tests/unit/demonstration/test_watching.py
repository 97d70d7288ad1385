"""What the helping process of a load says reaches the other whole."""

import asyncio
import multiprocessing
import os

import uvloop

from ambroise.interfaces.demonstration.filing import watch

LONG = {str(number): os.urandom(64) for number in range(5_000)}


def test_a_message_longer_than_the_pipe_is_heard_whole() -> None:
    async def hear_one() -> object:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        heard: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def hear() -> None:
            try:
                message: object = ours.recv()
            except OSError as error:
                message = error
            asyncio.get_running_loop().remove_reader(ours.fileno())
            heard.set_result(message)

        watch(ours, hear)
        sending = asyncio.create_task(asyncio.to_thread(theirs.send, LONG))
        said = await asyncio.wait_for(heard, 20)
        ours.close()
        await asyncio.gather(sending, return_exceptions=True)
        theirs.close()
        return said

    # The loop that instances run: libuv makes what it watches non-blocking, the standard one does not.
    assert uvloop.run(hear_one()) == LONG

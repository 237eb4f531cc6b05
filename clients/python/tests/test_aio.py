import asyncio

import pytest

from ottla import AsyncOttla, LeaseOver, Message, Problem


def test_the_same_calls_awaited(url, topic):
    async def run():
        async with AsyncOttla(url) as ottla:
            await ottla.create_topic(topic, partitions=1)
            places = await asyncio.gather(*(ottla.push(topic, number) for number in range(20)))
            assert sorted(place.offset for place in places) == list(range(20))
            (lease,) = await ottla.pull(topic, group="g")
            async with ottla.working(lease) as value:
                assert isinstance(value, int)
            with pytest.raises(LeaseOver):
                await ottla.renew(lease)
            got = []
            async for event in ottla.subscribe(topic, start="earliest"):
                got.append(event.record.value)
                if len(got) == 20:
                    break
            assert sorted(got) == list(range(20))
            page = await ottla.records(topic, limit=5)
            assert (len(page.records), page.next_offset) == (5, 5)
            await ottla.delete_topic(topic)
            with pytest.raises(Problem):
                await ottla.topic(topic)

    asyncio.run(run())


def test_a_subscriber_waits_for_what_comes(url, topic):
    async def run():
        async with AsyncOttla(url) as ottla:
            await ottla.create_topic(topic)

            async def first():
                async for event in ottla.subscribe(topic, start="earliest"):
                    return event.record.value

            waiting = asyncio.create_task(first())
            await asyncio.sleep(0.3)
            await ottla.push_many(topic, [Message({"late": True})])
            assert await asyncio.wait_for(waiting, 10) == {"late": True}

    asyncio.run(run())

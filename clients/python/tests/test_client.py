import threading
import time

import pytest

from ottla import BrokerUnreachable, LeaseOver, Message, Ottla, Problem


@pytest.fixture
def ottla(url):
    with Ottla(url) as client:
        yield client


def test_what_is_pushed_is_read_as_it_was(ottla, topic):
    values = [{"a": [1, None, True]}, "text", b"\xff\x00", 7.5, None]
    places = ottla.push_many(topic, [Message(value, key="k", headers={"n": "1"}) for value in values])
    assert [place.offset for place in places] == [0, 1, 2, 3, 4]
    page = ottla.records(topic)
    assert [record.value for record in page.records] == values
    assert {record.key for record in page.records} == {"k"}
    assert page.records[0].headers == {"n": "1"}
    assert (page.next_offset, page.high_watermark, page.log_start_offset) == (5, 5, 0)


def test_one_record_twice_with_a_key_is_written_once(ottla, topic):
    (first,) = ottla.push_many(topic, [Message("x")], idempotency_key="same")
    (second,) = ottla.push_many(topic, [Message("x")], idempotency_key="same")
    assert (second.partition, second.offset) == (first.partition, first.offset)
    assert len(ottla.records(topic).records) == 1


def test_workers_share_and_nothing_is_lost(ottla, topic):
    ottla.push_many(topic, [Message(number) for number in range(100)])
    done = []

    def work():
        while leases := ottla.pull(topic, group="g", limit=7, wait=0.3):
            for lease in leases:
                with ottla.working(lease) as value:
                    done.append(value)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done) == list(range(100))


def test_a_lease_is_given_back_renewed_refused_and_ends(ottla, topic):
    ottla.push(topic, "x")
    (lease,) = ottla.pull(topic, group="g", lease=60)
    assert ottla.pull(topic, group="g") == []
    with pytest.raises(ZeroDivisionError), ottla.working(lease):
        _ = 1 / 0
    (again,) = ottla.pull(topic, group="g", lease=0.2, wait=2)
    assert again.delivery_count == 2
    ottla.renew(again, duration=30)
    time.sleep(0.4)
    ottla.ack(again)
    with pytest.raises(LeaseOver):
        ottla.release(again)
    ottla.push(topic, "bad")
    (bad,) = ottla.pull(topic, group="g", wait=2)
    ottla.reject(bad, reason="nobody can")
    assert ottla.pull(topic, group="g") == []


def test_a_subscription_goes_on_where_it_ended(ottla, topic):
    ottla.create_topic(topic, partitions=3)
    ottla.push_many(topic, [Message(number, key=str(number)) for number in range(20)])
    events = ottla.subscribe(topic, start="earliest")
    first = [next(events) for _ in range(8)]
    events.close()
    rest = ottla.subscribe(topic, last_id=first[-1].id)
    second = [next(rest) for _ in range(12)]
    rest.close()
    assert sorted(event.record.value for event in first + second) == list(range(20))


def test_only_some_keys(ottla, topic):
    ottla.push_many(topic, [Message(number, key=f"k{number % 3}") for number in range(9)])
    events = ottla.subscribe(topic, start="earliest", keys=["k1"])
    assert [next(events).record.value for _ in range(3)] == [1, 4, 7]
    events.close()


def test_topics_and_groups(ottla, topic):
    made = ottla.create_topic(topic, partitions=2, configs={"retention.ms": 1000})
    assert len(made["partitions"]) == 2
    assert topic in [each["name"] for each in ottla.topics()]
    assert ottla.topic(topic)["name"] == topic
    assert ottla.health()["status"] == "healthy"
    assert isinstance(ottla.groups(), list)
    ottla.delete_topic(topic)
    with pytest.raises(Problem) as refusal:
        ottla.topic(topic)
    assert (refusal.value.status, refusal.value.error) == (404, "UNKNOWN_TOPIC_OR_PARTITION")


def test_another_node_is_tried_and_nobody_is_told(url, topic):
    with Ottla(["http://localhost:1", url]) as client:
        assert client.push(topic, "x").offset == 0
    with Ottla("http://localhost:1", patience=0.3) as nobody, pytest.raises(BrokerUnreachable):
        nobody.topics()

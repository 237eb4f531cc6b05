"""Every call of broker.proto and ottla/v1, by the code that grpcio-tools makes of them: client.py HOST:PORT"""

import sys
import threading
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

import broker_pb2
import broker_pb2_grpc
from ottla.v1 import leases_pb2, leases_pb2_grpc, records_pb2, records_pb2_grpc


def code_of(call):
    try:
        call()
        return None
    except grpc.RpcError as error:
        return error.code()


def subjects(channel):
    broker = broker_pb2_grpc.BrokerStub(channel)
    heard = []
    stream = broker.Subscribe(broker_pb2.SubscribeRequest(subject="py-news"))
    stream.initial_metadata()  # from here on nothing is missed

    def listen():
        for message in stream:
            heard.append(message.body)
            if len(heard) == 3:
                stream.cancel()
                return

    listener = threading.Thread(target=listen)
    listener.start()
    first = broker.Publish(broker_pb2.PublishRequest(subject="py-news", body=b"one"))
    second = broker.Publish(broker_pb2.PublishRequest(subject="py-news", body=b"two", expirationSeconds=1))
    assert second.id == first.id + 1
    assert broker.Broadcast(broker_pb2.PublishRequest(subject="py-news", body=b"all")).ack
    listener.join(10)
    assert heard == [b"one", b"two", b"all"], heard

    fetch = broker_pb2.FetchRequest(subject="py-news", id=first.id)
    assert broker.Fetch(fetch).body == b"one"
    time.sleep(1.1)
    gone = broker_pb2.FetchRequest(subject="py-news", id=second.id)
    assert code_of(lambda: broker.Fetch(gone)) == grpc.StatusCode.NOT_FOUND

    numbers = [broker.IncIdx(broker_pb2.IncIdxRequest(subject="py-orders")).newIdx for _ in range(5)]
    assert numbers == [0, 1, 2, 3, 4], numbers


def records(channel):
    stub = records_pb2_grpc.RecordsStub(channel)
    new = [records_pb2.NewRecord(key=b"k", value=str(n).encode(), partition=0) for n in range(100)]
    new[0].headers.add(key="h", value=b"x")
    placed = stub.Produce(records_pb2.ProduceRequest(topic="py-batch", records=new)).records
    assert [record.offset for record in placed] == list(range(100))

    batches = (records_pb2.ProduceRequest(topic="py-batch", records=new) for _ in range(20))
    answers = list(stub.ProduceStream(batches))
    assert [answer.records[0].offset for answer in answers] == [100 * n for n in range(1, 21)]

    start = records_pb2.PartitionStart(partition=0, offset=50)
    request = records_pb2.ConsumeRequest(topic="py-batch", partitions=[start], max_records=2000)
    found = [record for batch in stub.Consume(request) for record in batch.records]
    assert [record.offset for record in found] == list(range(50, 2050))
    assert found[50].headers[0].key == "h" and not found[0].headers

    missing = records_pb2.ConsumeRequest(topic="py-nowhere")
    assert code_of(lambda: list(stub.Consume(missing))) == grpc.StatusCode.NOT_FOUND
    far = records_pb2.ConsumeRequest(topic="py-batch")
    assert code_of(lambda: list(stub.Consume(far, timeout=0.3))) == grpc.StatusCode.DEADLINE_EXCEEDED


def leases(channel):
    producer = records_pb2_grpc.RecordsStub(channel)
    stub = leases_pb2_grpc.LeasesStub(channel)
    new = [records_pb2.NewRecord(value=str(n).encode()) for n in range(20)]
    producer.Produce(records_pb2.ProduceRequest(topic="py-jobs", records=new))

    pulled = stub.Pull(leases_pb2.PullRequest(topic="py-jobs", group="workers", max=5, wait_ms=5000)).records
    settlements = [leases_pb2.Settlement(lease=each.lease, outcome=leases_pb2.OUTCOME_ACK) for each in pulled]
    settled = stub.Settle(leases_pb2.SettleRequest(topic="py-jobs", settlements=settlements)).settled
    assert pulled and all(each.done for each in settled)

    done = [each.record.value for each in pulled]
    ready = threading.Condition()
    outbox = [leases_pb2.WorkRequest(open=leases_pb2.WorkOpen(topic="py-jobs", group="workers", credits=4))]

    def requests():
        while True:
            with ready:
                ready.wait_for(lambda: outbox)
                request = outbox.pop(0)
            if request is None:
                return
            yield request

    for answer in stub.Work(requests()):
        done += [each.record.value for each in answer.records]
        work = [leases_pb2.Settlement(lease=each.lease, outcome=leases_pb2.OUTCOME_ACK) for each in answer.records]
        with ready:
            if work:
                outbox.append(leases_pb2.WorkRequest(settlements=work))
            if len(done) == len(new):
                outbox.append(None)
            ready.notify()
    assert sorted(done, key=int) == [record.value for record in new], done


def standard_services(channel):
    health = health_pb2_grpc.HealthStub(channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    assert health.Check(health_pb2.HealthCheckRequest()).status == serving
    assert next(health.Watch(health_pb2.HealthCheckRequest(service="broker.Broker"))).status == serving
    names = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert {"broker.Broker", "ottla.v1.Records", "ottla.v1.Leases"} <= set(names), names


def descriptors(channel):
    """What the node tells of itself is what protoc makes of the files."""
    database = ProtoReflectionDescriptorDatabase(channel)
    for module in (broker_pb2, records_pb2, leases_pb2):
        theirs = database.FindFileByName(module.DESCRIPTOR.name)
        ours = type(theirs)()
        module.DESCRIPTOR.CopyToProto(ours)
        for file in (ours, theirs):
            file.ClearField("options")
            for kind in ("message_type", "enum_type", "service"):
                getattr(file, kind).sort(key=lambda each: each.name)
            for message in file.message_type:
                for field in message.field:
                    field.ClearField("json_name")
        assert ours == theirs, (module.DESCRIPTOR.name, ours, theirs)


with grpc.insecure_channel(sys.argv[1]) as connection:
    for check in (subjects, records, leases, standard_services, descriptors):
        check(connection)
        print(f"python: {check.__name__}")

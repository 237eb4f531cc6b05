// Every call of broker.proto and ottla/v1, by the code that protoc-gen-go and protoc-gen-go-grpc make of them: grpc-go HOST:PORT
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	broker "ottla.test/grpc-clients/broker"
	ottla "ottla.test/grpc-clients/ottlav1"
)

func main() {
	conn, err := grpc.NewClient(os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, PermitWithoutStream: true}))
	check(err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for name, run := range map[string]func(context.Context, *grpc.ClientConn){
		"subjects": subjects, "records": records, "leases": leases, "health": health,
	} {
		run(ctx, conn)
		fmt.Println("go:", name)
	}
}

func subjects(ctx context.Context, conn *grpc.ClientConn) {
	client := broker.NewBrokerClient(conn)
	streamCtx, stop := context.WithCancel(ctx)
	stream, err := client.Subscribe(streamCtx, &broker.SubscribeRequest{Subject: "go-news"})
	check(err)
	_, err = stream.Header() // from here on nothing is missed
	check(err)

	first, err := client.Publish(ctx, &broker.PublishRequest{Subject: "go-news", Body: []byte("one")})
	check(err)
	short := &broker.PublishRequest{Subject: "go-news", Body: []byte("two"), ExpirationSeconds: 1}
	second, err := client.Publish(ctx, short, grpc.UseCompressor(gzip.Name))
	check(err)
	equal(second.Id, first.Id+1)
	all, err := client.Broadcast(ctx, &broker.PublishRequest{Subject: "go-news", Body: []byte("all")})
	check(err)
	equal(all.Ack, true)
	for _, want := range []string{"one", "two", "all"} {
		message, err := stream.Recv()
		check(err)
		equal(string(message.Body), want)
	}
	stop()
	_, err = stream.Recv()
	equal(status.Code(err), codes.Canceled)

	message, err := client.Fetch(ctx, &broker.FetchRequest{Subject: "go-news", Id: first.Id})
	check(err)
	equal(string(message.Body), "one")
	time.Sleep(1100 * time.Millisecond)
	_, err = client.Fetch(ctx, &broker.FetchRequest{Subject: "go-news", Id: second.Id})
	equal(status.Code(err), codes.NotFound)

	for want := range int32(5) {
		next, err := client.IncIdx(ctx, &broker.IncIdxRequest{Subject: "go-orders"})
		check(err)
		equal(next.NewIdx, want)
	}
}

func records(ctx context.Context, conn *grpc.ClientConn) {
	client := ottla.NewRecordsClient(conn)
	partition := int32(0)
	var batch []*ottla.NewRecord
	for n := range 100 {
		batch = append(batch, &ottla.NewRecord{Partition: &partition, Key: []byte("k"), Value: fmt.Append(nil, n)})
	}
	placed, err := client.Produce(ctx, &ottla.ProduceRequest{Topic: "go-batch", Records: batch})
	check(err)
	equal(placed.Records[99].Offset, 99)

	stream, err := client.ProduceStream(ctx)
	check(err)
	go func() {
		for range 20 {
			check(stream.Send(&ottla.ProduceRequest{Topic: "go-batch", Records: batch}))
		}
		check(stream.CloseSend())
	}()
	for n := range int64(20) {
		answer, err := stream.Recv()
		check(err)
		equal(answer.Records[0].Offset, 100*(n+1))
	}
	_, err = stream.Recv()
	equal(err, io.EOF)

	offset := int64(50)
	start := []*ottla.PartitionStart{{Partition: 0, Offset: &offset}}
	found, err := client.Consume(ctx, &ottla.ConsumeRequest{Topic: "go-batch", Partitions: start, MaxRecords: 2000})
	check(err)
	for {
		answer, err := found.Recv()
		if err == io.EOF {
			break
		}
		check(err)
		for _, record := range answer.Records {
			equal(record.Offset, offset)
			offset++
		}
	}
	equal(offset, 2050)

	late, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	waiting, err := client.Consume(late, &ottla.ConsumeRequest{Topic: "go-batch"})
	check(err)
	_, err = waiting.Recv()
	equal(status.Code(err), codes.DeadlineExceeded)
}

func leases(ctx context.Context, conn *grpc.ClientConn) {
	var batch []*ottla.NewRecord
	for n := range 20 {
		batch = append(batch, &ottla.NewRecord{Value: fmt.Append(nil, n)})
	}
	_, err := ottla.NewRecordsClient(conn).Produce(ctx, &ottla.ProduceRequest{Topic: "go-jobs", Records: batch})
	check(err)

	client := ottla.NewLeasesClient(conn)
	stream, err := client.Work(ctx)
	check(err)
	check(stream.Send(&ottla.WorkRequest{Open: &ottla.WorkOpen{Topic: "go-jobs", Group: "workers", Credits: 4}}))
	var done []string
	for len(done) < 20 {
		answer, err := stream.Recv()
		check(err)
		request := &ottla.WorkRequest{}
		for _, leased := range answer.Records {
			done = append(done, string(leased.Record.Value))
			ack := &ottla.Settlement{Lease: leased.Lease, Outcome: ottla.Outcome_OUTCOME_ACK}
			request.Settlements = append(request.Settlements, ack)
		}
		if len(request.Settlements) > 0 {
			check(stream.Send(request))
		}
	}
	check(stream.CloseSend())
	slices.Sort(done)
	equal(len(slices.Compact(done)), 20)
}

func health(ctx context.Context, conn *grpc.ClientConn) {
	client := healthpb.NewHealthClient(conn)
	all, err := client.List(ctx, &healthpb.HealthListRequest{})
	check(err)
	for _, name := range []string{"", "broker.Broker", "ottla.v1.Records", "ottla.v1.Leases"} {
		equal(all.Statuses[name].GetStatus(), healthpb.HealthCheckResponse_SERVING)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func equal[T comparable](got, want T) {
	if got != want {
		log.Fatalf("got %v, want %v", got, want)
	}
}

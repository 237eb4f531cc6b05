package ottla_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ottla "github.com/ottla/ottla/clients/go"
)

// setUp gives a client of the broker that test.sh has started, and a topic that nobody used before.
func setUp(t *testing.T) (context.Context, *ottla.Client, string) {
	t.Helper()
	address := os.Getenv("TEST_BROKER")
	if address == "" {
		t.Skip("no broker: run clients/go/test.sh")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	// Nobody listens at the first address.
	client, err := ottla.New("http://localhost:1, " + address)
	check(t, err)
	return ctx, client, fmt.Sprintf("go-%d", time.Now().UnixNano())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func value(text string) ottla.Message { return ottla.Message{Value: []byte(text)} }

func TestWhatIsPushedIsReadAsItWas(t *testing.T) {
	ctx, client, topic := setUp(t)
	at := time.UnixMilli(1_700_000_000_000)
	sent := []ottla.Message{
		{Key: []byte("k"), Value: []byte(`{"a": 1}`), Headers: map[string]string{"n": "1"}, Time: at},
		{Value: []byte{0xff, 0}},
		{Key: []byte("gone")},
		{Value: []byte{}},
	}
	places, err := client.PushAll(ctx, topic, sent)
	check(t, err)
	if len(places) != 4 || places[3].Offset != 3 {
		t.Fatalf("%+v", places)
	}
	page, err := client.Records(ctx, topic, ottla.ReadOptions{})
	check(t, err)
	for i, record := range page.Records {
		same := bytes.Equal(record.Key, sent[i].Key) && bytes.Equal(record.Value, sent[i].Value)
		if !same || (record.Value == nil) != (sent[i].Value == nil) || record.Offset != int64(i) {
			t.Errorf("record %d is %+v", i, record)
		}
	}
	first := page.Records[0]
	if !first.Time.Equal(at) || !slices.Equal(first.Headers["n"], []string{"1"}) || page.NextOffset != 4 {
		t.Errorf("%+v", page)
	}
}

func TestLinesAreWrittenWhileTheyAreRead(t *testing.T) {
	ctx, client, topic := setUp(t)
	count, err := client.PushLines(ctx, topic, strings.NewReader(strings.Repeat(`{"value": "x"}`+"\n", 1000)))
	check(t, err)
	if count != 1000 {
		t.Errorf("%d lines", count)
	}
	if _, err = client.PushLines(ctx, topic, strings.NewReader("{\n")); err == nil {
		t.Error("half a line was taken")
	}
}

func TestWorkersShareAndNothingIsLost(t *testing.T) {
	ctx, client, topic := setUp(t)
	var messages []ottla.Message
	for i := range 100 {
		messages = append(messages, value(fmt.Sprintf("%03d", i)))
	}
	_, err := client.PushAll(ctx, topic, messages)
	check(t, err)
	var lock sync.Mutex
	var done []string
	var workers sync.WaitGroup
	for range 4 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				leases, err := client.Pull(ctx, topic, ottla.PullOptions{Group: "g", Max: 7, Wait: 300 * time.Millisecond})
				if err != nil || len(leases) == 0 {
					return
				}
				for _, lease := range leases {
					if err := lease.Ack(ctx); err == nil {
						lock.Lock()
						done = append(done, string(lease.Value))
						lock.Unlock()
					}
				}
			}
		}()
	}
	workers.Wait()
	slices.Sort(done)
	if len(done) != 100 || len(slices.Compact(done)) != 100 {
		t.Errorf("%d done: %v", len(done), done)
	}
}

func TestALeaseIsReleasedRenewedAndEnds(t *testing.T) {
	ctx, client, topic := setUp(t)
	_, err := client.Push(ctx, topic, value("x"))
	check(t, err)
	options := ottla.PullOptions{Group: "g", Wait: 2 * time.Second, Lease: time.Minute}
	leases, err := client.Pull(ctx, topic, options)
	check(t, err)
	check(t, leases[0].Release(ctx, 0))
	leases, err = client.Pull(ctx, topic, options)
	check(t, err)
	if leases[0].DeliveryCount != 2 {
		t.Errorf("delivered %d times", leases[0].DeliveryCount)
	}
	check(t, leases[0].Renew(ctx, time.Minute))
	check(t, leases[0].Ack(ctx))
	if err := leases[0].Renew(ctx, time.Minute); !errors.Is(err, ottla.ErrLeaseOver) {
		t.Errorf("a lease that is over: %v", err)
	}
}

func TestASubscriptionGoesOnWhereItEnded(t *testing.T) {
	ctx, client, topic := setUp(t)
	_, err := client.CreateTopic(ctx, ottla.NewTopic{Name: topic, Partitions: 3})
	check(t, err)
	var messages []ottla.Message
	for i := range 20 {
		messages = append(messages, ottla.Message{Key: []byte{byte(i)}, Value: []byte(fmt.Sprintf("%02d", i))})
	}
	_, err = client.PushAll(ctx, topic, messages)
	check(t, err)
	var got []string
	var id string
	read := func(upTo int, options ottla.SubscribeOptions) {
		for event, err := range client.Subscribe(ctx, topic, options) {
			check(t, err)
			got = append(got, string(event.Value))
			id = event.ID
			if len(got) == upTo {
				return
			}
		}
	}
	read(8, ottla.SubscribeOptions{From: "earliest"})
	read(20, ottla.SubscribeOptions{LastID: id})
	slices.Sort(got)
	if len(slices.Compact(got)) != 20 {
		t.Errorf("%v", got)
	}
}

func TestASubscriptionEndsWithItsContext(t *testing.T) {
	ctx, client, topic := setUp(t)
	_, err := client.CreateTopic(ctx, ottla.NewTopic{Name: topic})
	check(t, err)
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	for _, err := range client.Subscribe(short, topic, ottla.SubscribeOptions{}) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	}
	_, err = client.Topic(ctx, "never-made")
	if !errors.Is(err, ottla.ErrNotFound) {
		t.Errorf("%v", err)
	}
	for _, err := range client.Subscribe(ctx, "never made", ottla.SubscribeOptions{}) {
		var problem *ottla.Problem
		if !errors.As(err, &problem) || problem.Status != 400 {
			t.Errorf("%v", err)
		}
	}
}

func TestTopicsComeAndGo(t *testing.T) {
	ctx, client, topic := setUp(t)
	configs := map[string]string{"retention.ms": "1000"}
	made, err := client.CreateTopic(ctx, ottla.NewTopic{Name: topic, Partitions: 2, Configs: configs})
	check(t, err)
	if len(made.Partitions) != 2 || made.Partitions[1].Leader == nil {
		t.Errorf("%+v", made)
	}
	check(t, client.Health(ctx))
	names, err := client.Topics(ctx)
	check(t, err)
	if !slices.Contains(names, topic) {
		t.Errorf("%v", names)
	}
	check(t, client.DeleteTopic(ctx, topic))
}

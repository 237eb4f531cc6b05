package main

import (
	"context"
	"errors"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var franzCodecs = map[string]kgo.CompressionCodec{
	"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func franz(address string) client {
	f := &franzClient{address: address}
	return client{
		name: "franz-go", module: "github.com/twmb/franz-go",
		traits: fields{
			"compressions": []string{"none", "gzip", "snappy", "lz4", "zstd"},
			"idempotent":   true, "duplicateHeaders": true,
		},
		verbs: map[string]verb{
			"create": f.create, "delete": f.delete, "produce": f.produce, "bulk": f.bulk, "consume": f.consume,
			"join": f.join, "leave": f.leave, "load": f.load, "stop": f.stop,
		},
	}
}

type franzClient struct {
	address string
	member  *kgo.Client
	ended   chan struct{}
	halt    chan struct{}
}

// quick keeps a client from waiting long for a broker that was away for a moment: retries grow to 5 s otherwise.
func quick(int) time.Duration { return 50 * time.Millisecond }

func (f *franzClient) open(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(f.address, ",")...), kgo.ClientID("matrix-franz-go"), kgo.RecordPartitioner(kgo.ManualPartitioner())}, options...)...)
}

func (f *franzClient) create(c command) (fields, error) {
	client, err := f.open()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(context.Background(), int32(c.Partitions), -1, nil, c.Topic); err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		topics, err := admin.ListTopics(context.Background(), c.Topic)
		if err == nil && len(topics[c.Topic].Partitions) == c.Partitions || i == 100 {
			return fields{"partitions": len(topics[c.Topic].Partitions)}, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (f *franzClient) delete(c command) (fields, error) {
	client, err := f.open()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if _, err := admin.DeleteTopic(context.Background(), c.Topic); err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		topics, err := admin.ListTopics(context.Background())
		if err != nil {
			return nil, err
		}
		if !topics.Has(c.Topic) || i == 100 {
			return fields{"gone": !topics.Has(c.Topic)}, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (f *franzClient) producer(c command, more ...kgo.Opt) (*kgo.Client, error) {
	options := append([]kgo.Opt{kgo.ProducerBatchCompression(franzCodecs[c.Compression]), kgo.ProducerLinger(5 * time.Millisecond)}, more...)
	if !c.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1))
	}
	if c.Retries > 0 {
		options = append(options, kgo.RecordRetries(int(c.Retries)))
	}
	if c.Acks != nil && *c.Acks == 1 {
		options = append(options, kgo.RequiredAcks(kgo.LeaderAck()))
	} else if c.Acks != nil && *c.Acks == 0 {
		options = append(options, kgo.RequiredAcks(kgo.NoAck()))
	}
	return f.open(options...)
}

func (f *franzClient) produce(c command) (fields, error) {
	client, err := f.producer(c)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var records []*kgo.Record
	for _, r := range c.Records {
		k := &kgo.Record{Topic: c.Topic, Partition: r.Partition, Key: raw(r.Key), Value: raw(r.Value)}
		if r.Timestamp != 0 {
			k.Timestamp = time.UnixMilli(r.Timestamp)
		}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
		}
		records = append(records, k)
	}
	results := client.ProduceSync(context.Background(), records...)
	offsets := map[int32]int64{}
	for _, r := range results {
		if first, ok := offsets[r.Record.Partition]; !ok || r.Record.Offset < first {
			offsets[r.Record.Partition] = r.Record.Offset
		}
	}
	return fields{"offsets": offsets}, results.FirstErr()
}

func (f *franzClient) bulk(c command) (fields, error) {
	client, err := f.producer(c)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var mu sync.Mutex
	var failed error
	for i := c.From; i < c.From+c.Count; i++ {
		r := &kgo.Record{Topic: c.Topic, Partition: int32(i % c.Partitions), Value: padded(i, c.Size)}
		client.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		})
	}
	if err := client.Flush(context.Background()); err != nil {
		return nil, err
	}
	return nil, failed
}

func (f *franzClient) group(c command, more ...kgo.Opt) (*kgo.Client, error) {
	session := 6 * time.Second
	if c.SessionMs > 0 {
		session = time.Duration(c.SessionMs) * time.Millisecond
	}
	commit := 200 * time.Millisecond
	if c.CommitMs > 0 {
		commit = time.Duration(c.CommitMs) * time.Millisecond
	}
	reset := kgo.NewOffset().AtStart()
	if c.Reset == "latest" {
		reset = kgo.NewOffset().AtEnd()
	}
	return f.open(append([]kgo.Opt{
		kgo.ConsumerGroup(c.Group), kgo.ConsumeTopics(c.Topic), kgo.ConsumeResetOffset(reset), kgo.SessionTimeout(session),
		kgo.HeartbeatInterval(300 * time.Millisecond), kgo.MetadataMinAge(50 * time.Millisecond), kgo.RetryBackoffFn(quick), kgo.AutoCommitInterval(commit), kgo.FetchMaxWait(300 * time.Millisecond),
	}, more...)...)
}

func franzRecord(k *kgo.Record) record {
	r := record{Partition: k.Partition, Offset: k.Offset, Key: text(k.Key), Value: text(k.Value), Timestamp: k.Timestamp.UnixMilli(), Headers: [][]string{}}
	for _, h := range k.Headers {
		r.Headers = append(r.Headers, []string{h.Key, string(h.Value)})
	}
	return r
}

func (f *franzClient) consume(c command) (fields, error) {
	client, err := f.group(c)
	if err != nil {
		return nil, err
	}
	u := newUntil(c)
	for !u.done() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		fetches := client.PollFetches(ctx)
		cancel()
		for _, e := range fetches.Errors() {
			if errors.Is(e.Err, context.DeadlineExceeded) {
				continue
			}
			// That it was not taken into its group, or expelled, is told and tried again by itself.
			var session *kgo.ErrGroupSession
			if restarts && errors.As(e.Err, &session) {
				continue
			}
			return nil, e.Err
		}
		fetches.EachRecord(func(k *kgo.Record) { u.add(franzRecord(k)) })
	}
	err = client.CommitUncommittedOffsets(context.Background())
	client.Close()
	return u.answer(), err
}

func (f *franzClient) join(c command) (fields, error) {
	var mu sync.Mutex
	owned := map[int32]bool{}
	change := func(to bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
			mu.Lock()
			defer mu.Unlock()
			for _, p := range topics[c.Topic] {
				owned[p] = to
			}
			list := []int{}
			for p, mine := range owned {
				if mine {
					list = append(list, int(p))
				}
			}
			sort.Ints(list)
			emit(fields{"event": "assigned", "partitions": list})
		}
	}
	client, err := f.group(c, kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)))
	if err != nil {
		return nil, err
	}
	f.member, f.ended = client, make(chan struct{})
	go func() {
		defer close(f.ended)
		for {
			fetches := client.PollFetches(context.Background())
			if fetches.IsClientClosed() {
				return
			}
			rows := []row{}
			fetches.EachRecord(func(k *kgo.Record) { rows = append(rows, row{int64(k.Partition), k.Offset, int64(number(k.Value))}) })
			emit(fields{"event": "got", "rows": rows})
		}
	}()
	return nil, nil
}

func (f *franzClient) leave(command) (fields, error) {
	err := f.member.CommitUncommittedOffsets(context.Background())
	f.member.Close()
	<-f.ended
	return nil, err
}

// load sends numbers to Partitions partitions until stop and tells the fate of each: the crash proof's writer.
func (f *franzClient) load(c command) (fields, error) {
	client, err := f.producer(c, kgo.RecordRetries(1<<30), kgo.RetryTimeout(10*time.Minute), kgo.MetadataMinAge(50*time.Millisecond), kgo.RetryBackoffFn(quick),
		// Who is frozen is given up after 10 s; by default after 20, or 50.
		kgo.ProduceRequestTimeout(5*time.Second), kgo.RequestTimeoutOverhead(5*time.Second))
	if err != nil {
		return nil, err
	}
	f.halt, f.ended = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(f.ended)
		defer client.Close()
		for i := c.From; ; i++ {
			select {
			case <-f.halt:
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				client.Flush(ctx)
				return
			default:
			}
			n := i
			r := &kgo.Record{Topic: c.Topic, Partition: int32(i % c.Partitions), Value: padded(i, c.Size)}
			client.Produce(context.Background(), r, func(r *kgo.Record, err error) {
				if err != nil {
					emit(fields{"event": "fate", "n": n, "p": r.Partition, "error": err.Error()})
				} else {
					emit(fields{"event": "fate", "n": n, "p": r.Partition, "o": r.Offset})
				}
			})
			time.Sleep(time.Millisecond)
		}
	}()
	return nil, nil
}

func (f *franzClient) stop(command) (fields, error) {
	close(f.halt)
	<-f.ended
	return nil, nil
}

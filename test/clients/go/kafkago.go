package main

import (
	"context"
	"errors"
	"io"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

var kafkaGoCodecs = map[string]kafka.Compression{
	"": 0, "none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
}

func kafkaGo(address string) client {
	k := &kafkaGoAgent{address: address}
	return client{
		name: "kafka-go", module: "github.com/segmentio/kafka-go",
		traits: fields{
			"compressions": []string{"none", "gzip", "snappy", "lz4", "zstd"},
			"idempotent":   false, "duplicateHeaders": true,
			// Its reader hands out an empty key or value as none.
			"emptyIsNull": true,
		},
		verbs: map[string]verb{
			"create": k.create, "delete": k.delete, "produce": k.produce, "bulk": k.bulk, "consume": k.consume,
			"join": k.join, "leave": k.leave,
		},
	}
}

type kafkaGoAgent struct {
	address string
	cancel  context.CancelFunc
	ended   chan error
}

func (k *kafkaGoAgent) client() *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(strings.Split(k.address, ",")...), Timeout: 20 * time.Second}
}

func (k *kafkaGoAgent) partitions(topic string) (int, bool, error) {
	m, err := k.client().Metadata(context.Background(), &kafka.MetadataRequest{})
	if err != nil {
		return 0, false, err
	}
	for _, t := range m.Topics {
		if t.Name == topic {
			return len(t.Partitions), true, nil
		}
	}
	return 0, false, nil
}

func (k *kafkaGoAgent) create(c command) (fields, error) {
	r, err := k.client().CreateTopics(context.Background(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: c.Topic, NumPartitions: c.Partitions, ReplicationFactor: -1}},
	})
	if err == nil {
		err = r.Errors[c.Topic]
	}
	if err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		n, _, err := k.partitions(c.Topic)
		if err != nil || n == c.Partitions || i == 100 {
			return fields{"partitions": n}, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (k *kafkaGoAgent) delete(c command) (fields, error) {
	r, err := k.client().DeleteTopics(context.Background(), &kafka.DeleteTopicsRequest{Topics: []string{c.Topic}})
	if err == nil {
		err = r.Errors[c.Topic]
	}
	if err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		_, there, err := k.partitions(c.Topic)
		if err != nil || !there || i == 300 { // its own view of the cluster is up to six seconds old
			return fields{"gone": !there}, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// byPartition sends each message to the partition that its WriterData names: the writer itself has only balancers.
type byPartition struct{}

func (byPartition) Balance(m kafka.Message, _ ...int) int { return m.WriterData.(int) }

func (k *kafkaGoAgent) writer(c command) *kafka.Writer {
	acks := kafka.RequireAll
	if c.Acks != nil {
		acks = kafka.RequiredAcks(*c.Acks)
	}
	return &kafka.Writer{
		Addr: kafka.TCP(strings.Split(k.address, ",")...), Topic: c.Topic, Balancer: byPartition{}, RequiredAcks: acks, Compression: kafkaGoCodecs[c.Compression],
		BatchTimeout: 5 * time.Millisecond, BatchSize: 1000, WriteBackoffMin: 50 * time.Millisecond,
	}
}

func (k *kafkaGoAgent) produce(c command) (fields, error) {
	offsets := map[int]int64{}
	w := k.writer(c)
	var mu sync.Mutex
	w.Completion = func(messages []kafka.Message, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil && len(messages) > 0 {
			offsets[messages[0].Partition] = messages[0].Offset
		}
	}
	var messages []kafka.Message
	for _, r := range c.Records {
		m := kafka.Message{WriterData: int(r.Partition), Key: raw(r.Key), Value: raw(r.Value)}
		if r.Timestamp != 0 {
			m.Time = time.UnixMilli(r.Timestamp)
		}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h[0], Value: []byte(h[1])})
		}
		messages = append(messages, m)
	}
	err := w.WriteMessages(context.Background(), messages...)
	if closed := w.Close(); err == nil {
		err = closed
	}
	return fields{"offsets": offsets}, err
}

func (k *kafkaGoAgent) bulk(c command) (fields, error) {
	w := k.writer(c)
	var err error
	for i := c.From; i < c.From+c.Count && err == nil; {
		var messages []kafka.Message
		for ; len(messages) < 5000 && i < c.From+c.Count; i++ {
			messages = append(messages, kafka.Message{WriterData: i % c.Partitions, Value: padded(i, c.Size)})
		}
		err = w.WriteMessages(context.Background(), messages...)
	}
	if closed := w.Close(); err == nil {
		err = closed
	}
	return nil, err
}

// consume uses the high-level Reader, as most programs do.
func (k *kafkaGoAgent) consume(c command) (fields, error) {
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: strings.Split(k.address, ","), GroupID: c.Group, Topic: c.Topic, StartOffset: kafka.FirstOffset, MinBytes: 1, MaxBytes: 10e6,
		MaxWait: 300 * time.Millisecond, HeartbeatInterval: 300 * time.Millisecond, SessionTimeout: 6 * time.Second,
		RebalanceTimeout: 10 * time.Second, CommitInterval: 200 * time.Millisecond, QueueCapacity: 1000,
	})
	u := newUntil(c)
	ctx, cancel := u.context()
	var err error
	for err == nil {
		var m kafka.Message
		if m, err = r.ReadMessage(ctx); err == nil {
			u.add(kafkaGoRecord(m))
		}
	}
	cancel()
	if errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) {
		err = nil
	}
	if closed := r.Close(); err == nil {
		err = closed
	}
	return u.answer(), err
}

func kafkaGoRecord(m kafka.Message) record {
	r := record{Partition: int32(m.Partition), Offset: m.Offset, Key: text(m.Key), Value: text(m.Value), Timestamp: m.Time.UnixMilli(), Headers: [][]string{}}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, []string{h.Key, string(h.Value)})
	}
	return r
}

// join uses the low-level ConsumerGroup: the Reader does not tell which partitions it holds.
func (k *kafkaGoAgent) join(c command) (fields, error) {
	start := kafka.FirstOffset
	if c.Reset == "latest" {
		start = kafka.LastOffset
	}
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: c.Group, Brokers: strings.Split(k.address, ","), Topics: []string{c.Topic}, StartOffset: start,
		HeartbeatInterval: 300 * time.Millisecond, SessionTimeout: time.Duration(c.SessionMs) * time.Millisecond,
		RebalanceTimeout: 10 * time.Second, JoinGroupBackoff: 200 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel, k.ended = cancel, make(chan error, 1)
	go func() {
		for {
			generation, err := group.Next(ctx)
			if err != nil {
				if ctx.Err() == nil {
					continue
				}
				// Next also ends what the generation runs; Close waits for it and leaves the group.
				err = group.Close()
				k.ended <- err
				return
			}
			k.generation(c.Topic, generation)
		}
	}()
	return nil, nil
}

func (k *kafkaGoAgent) generation(topic string, g *kafka.Generation) {
	list := []int{}
	for _, a := range g.Assignments[topic] {
		list = append(list, a.ID)
		g.Start(func(ctx context.Context) { k.read(ctx, topic, a.ID, a.Offset, g) })
	}
	sort.Ints(list)
	emit(fields{"event": "assigned", "partitions": list})
}

func (k *kafkaGoAgent) read(ctx context.Context, topic string, partition int, offset int64, g *kafka.Generation) {
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: strings.Split(k.address, ","), Topic: topic, Partition: partition, MinBytes: 1, MaxBytes: 10e6, MaxWait: 300 * time.Millisecond,
	})
	defer r.Close()
	if err := r.SetOffset(offset); err != nil {
		return
	}
	next := int64(-1)
	commit := func() {
		if next >= 0 {
			g.CommitOffsets(map[string]map[int]int64{topic: {partition: next}})
		}
	}
	defer commit()
	for last := time.Now(); ; {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return
		}
		got(int32(partition), m.Offset, m.Value)
		next = m.Offset + 1
		if time.Since(last) > 200*time.Millisecond {
			commit()
			last = time.Now()
		}
	}
}

func (k *kafkaGoAgent) leave(command) (fields, error) {
	k.cancel()
	return nil, <-k.ended
}

package main

import (
	"context"
	"io"
	"log"
	"sort"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

var saramaCodecs = map[string]sarama.CompressionCodec{
	"": sarama.CompressionNone, "none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func saramaClient(address string) client {
	sarama.Logger = log.New(io.Discard, "", 0)
	s := &saramaAgent{addresses: strings.Split(address, ",")}
	return client{
		name: "sarama", module: "github.com/IBM/sarama",
		traits: fields{
			"compressions": []string{"none", "gzip", "snappy", "lz4", "zstd"},
			"idempotent":   true, "duplicateHeaders": true,
		},
		verbs: map[string]verb{
			"create": s.create, "delete": s.delete, "produce": s.produce, "bulk": s.bulk, "consume": s.consume,
			"join": s.join, "leave": s.leave,
		},
	}
}

// givesUpAfter so many failures of Consume without a session in between.
const givesUpAfter = 50

type saramaAgent struct {
	addresses []string
	cancel    context.CancelFunc
	ended     chan error
}

func (s *saramaAgent) config() *sarama.Config {
	c := sarama.NewConfig()
	c.ClientID = "matrix-sarama"
	c.Version = sarama.V4_0_0_0
	if !restarts { // its default gives a new coordinator time to learn that it is one
		c.Metadata.Retry.Backoff = 50 * time.Millisecond
	}
	return c
}

func (s *saramaAgent) create(c command) (fields, error) {
	admin, err := sarama.NewClusterAdmin(s.addresses, s.config())
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if err := admin.CreateTopic(c.Topic, &sarama.TopicDetail{NumPartitions: int32(c.Partitions), ReplicationFactor: -1}, false); err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		topics, err := admin.DescribeTopics([]string{c.Topic})
		if err == nil && len(topics[0].Partitions) == c.Partitions || i == 100 {
			return fields{"partitions": len(topics[0].Partitions)}, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *saramaAgent) delete(c command) (fields, error) {
	admin, err := sarama.NewClusterAdmin(s.addresses, s.config())
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if err := admin.DeleteTopic(c.Topic); err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		topics, err := admin.ListTopics()
		if err != nil {
			return nil, err
		}
		if _, there := topics[c.Topic]; !there || i == 100 {
			return fields{"gone": !there}, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *saramaAgent) producerConfig(c command) *sarama.Config {
	cfg := s.config()
	cfg.Producer.Partitioner = sarama.NewManualPartitioner
	cfg.Producer.Compression = saramaCodecs[c.Compression]
	cfg.Producer.Return.Successes = true
	cfg.Producer.RequiredAcks = sarama.WaitForAll
	if c.Acks != nil {
		cfg.Producer.RequiredAcks = sarama.RequiredAcks(*c.Acks)
	}
	cfg.Producer.Idempotent = c.Idempotent
	cfg.Net.MaxOpenRequests = 1 // what sarama asks for with idempotence; without it, what keeps its order on retries
	return cfg
}

func (s *saramaAgent) produce(c command) (fields, error) {
	producer, err := sarama.NewSyncProducer(s.addresses, s.producerConfig(c))
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	var messages []*sarama.ProducerMessage
	for _, r := range c.Records {
		m := &sarama.ProducerMessage{Topic: c.Topic, Partition: r.Partition}
		if r.Key != nil {
			m.Key = sarama.StringEncoder(*r.Key)
		}
		if r.Value != nil {
			m.Value = sarama.StringEncoder(*r.Value)
		}
		if r.Timestamp != 0 {
			m.Timestamp = time.UnixMilli(r.Timestamp)
		}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h[0]), Value: []byte(h[1])})
		}
		messages = append(messages, m)
	}
	err = producer.SendMessages(messages)
	offsets := map[int32]int64{}
	for _, m := range messages {
		if first, ok := offsets[m.Partition]; !ok || m.Offset < first {
			offsets[m.Partition] = m.Offset
		}
	}
	return fields{"offsets": offsets}, err
}

func (s *saramaAgent) bulk(c command) (fields, error) {
	producer, err := sarama.NewAsyncProducer(s.addresses, s.producerConfig(c))
	if err != nil {
		return nil, err
	}
	done := make(chan error)
	go func() {
		for i := 0; i < c.Count; i++ {
			select {
			case <-producer.Successes():
			case e := <-producer.Errors():
				done <- e.Err
				return
			}
		}
		done <- nil
	}()
	for i := c.From; i < c.From+c.Count; i++ {
		producer.Input() <- &sarama.ProducerMessage{Topic: c.Topic, Partition: int32(i % c.Partitions), Value: sarama.ByteEncoder(padded(i, c.Size))}
	}
	err = <-done
	producer.AsyncClose()
	return nil, err
}

func (s *saramaAgent) groupConfig(c command) *sarama.Config {
	cfg := s.config()
	cfg.Consumer.Offsets.Initial = sarama.OffsetOldest
	if c.Reset == "latest" {
		cfg.Consumer.Offsets.Initial = sarama.OffsetNewest
	}
	cfg.Consumer.Offsets.AutoCommit.Interval = 200 * time.Millisecond
	cfg.Consumer.Group.Session.Timeout = 6 * time.Second
	if c.SessionMs > 0 {
		cfg.Consumer.Group.Session.Timeout = time.Duration(c.SessionMs) * time.Millisecond
	}
	cfg.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	cfg.Consumer.Group.Rebalance.Timeout = 10 * time.Second
	cfg.Consumer.MaxWaitTime = 300 * time.Millisecond
	return cfg
}

// handler passes every message to got, and every assignment to assigned.
type handler struct {
	got      func(*sarama.ConsumerMessage)
	assigned func([]int)
	topic    string
}

func (h *handler) Setup(session sarama.ConsumerGroupSession) error {
	list := []int{}
	for _, p := range session.Claims()[h.topic] {
		list = append(list, int(p))
	}
	sort.Ints(list)
	h.assigned(list)
	return nil
}

func (h *handler) Cleanup(session sarama.ConsumerGroupSession) error {
	session.Commit()
	h.assigned([]int{})
	return nil
}

func (h *handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case m, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			h.got(m)
			session.MarkMessage(m, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

// run consumes until the context ends, through as many generations as there are. Consume fails when the coordinator goes
// while it is asked; that it must be called again is up to sarama's users.
func (s *saramaAgent) run(ctx context.Context, c command, h *handler) error {
	group, err := sarama.NewConsumerGroup(s.addresses, c.Group, s.groupConfig(c))
	if err != nil {
		return err
	}
	for failures := 0; ctx.Err() == nil; {
		if err = group.Consume(ctx, []string{c.Topic}, h); err == nil {
			failures = 0
			continue
		}
		if failures++; !restarts || failures > givesUpAfter {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	closed := group.Close()
	if restarts && ctx.Err() != nil {
		return nil // the coordinator may have gone before it heard that we leave
	}
	if err == nil {
		err = closed
	}
	return err
}

func saramaRecord(m *sarama.ConsumerMessage) record {
	r := record{Partition: m.Partition, Offset: m.Offset, Key: text(m.Key), Value: text(m.Value), Timestamp: m.Timestamp.UnixMilli(), Headers: [][]string{}}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, []string{string(h.Key), string(h.Value)})
	}
	return r
}

func (s *saramaAgent) consume(c command) (fields, error) {
	u := newUntil(c)
	ctx, cancel := u.context()
	err := s.run(ctx, c, &handler{
		topic:    c.Topic,
		got:      func(m *sarama.ConsumerMessage) { u.add(saramaRecord(m)) },
		assigned: func([]int) {},
	})
	cancel()
	return u.answer(), err
}

func (s *saramaAgent) join(c command) (fields, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.ended = cancel, make(chan error, 1)
	go func() {
		err := s.run(ctx, c, &handler{
			topic:    c.Topic,
			got:      func(m *sarama.ConsumerMessage) { got(m.Partition, m.Offset, m.Value) },
			assigned: func(list []int) { emit(fields{"event": "assigned", "partitions": list}) },
		})
		s.ended <- err
	}()
	return nil, nil
}

func (s *saramaAgent) leave(command) (fields, error) {
	s.cancel()
	return nil, <-s.ended
}

// What Kafka's Java clients promise beyond producing and consuming: errors, times, static members, administration.
//   java Semantics HOST:PORT TAG [NAME...]     one JSON line per check: {"scenario", "ok", "ms", "error"}
// Every check passes against Apache Kafka; it creates its own topics and groups.
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.*;

public class Semantics {
  static String bootstrap, tag, name;
  static Admin admin;
  /** Nodes are restarted meanwhile: what takes a coordinator or a leader takes longer. */
  static final boolean restarts = Boolean.getBoolean("restarts");
  static final int patience = restarts ? 60_000 : 20_000;

  interface Check { void run() throws Exception; }

  // ---- helpers

  static void check(boolean holds, Object what) { if (!holds) throw new AssertionError(String.valueOf(what)); }
  static void same(Object expected, Object actual) { check(Objects.equals(expected, actual), "expected " + expected + ", got " + actual); }

  static void fails(Class<? extends Throwable> kind, Check c) {
    try { c.run(); } catch (Throwable e) {
      for (Throwable t = e; t != null; t = t.getCause()) if (kind.isInstance(t)) return;
      throw new AssertionError("expected " + kind.getSimpleName() + ", got " + e, e);
    }
    throw new AssertionError("expected " + kind.getSimpleName() + ", nothing was thrown");
  }

  static void until(String what, BooleanSupplier holds) throws InterruptedException {
    for (long end = System.currentTimeMillis() + patience; !holds.getAsBoolean(); Thread.sleep(20))
      check(System.currentTimeMillis() < end, "waited " + patience + " ms for " + what);
  }

  static String topic(int partitions, String... config) throws Exception {
    return topicNamed(name + "-" + tag, partitions, config);
  }

  static String topicNamed(String topic, int partitions, String... config) throws Exception {
    Map<String, String> c = new HashMap<>();
    for (int i = 0; i < config.length; i += 2) c.put(config[i], config[i + 1]);
    admin.createTopics(List.of(new NewTopic(topic, Optional.of(partitions), Optional.empty()).configs(c))).all().get();
    until("the new topic", () -> partitionsOf(topic) == partitions);
    Thread.sleep(Integer.getInteger("settle", 0));
    return topic;
  }

  static int partitionsOf(String topic) {
    try { return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size(); }
    catch (Exception e) { return -1; }
  }

  static KafkaProducer<String, String> producer(Object... kv) {
    Map<String, Object> c = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "linger.ms", 0, "delivery.timeout.ms", patience, "request.timeout.ms", 10_000));
    for (int i = 0; i < kv.length; i += 2) c.put((String) kv[i], kv[i + 1]);
    return new KafkaProducer<>(c, new StringSerializer(), new StringSerializer());
  }

  static KafkaConsumer<String, String> consumer(Object... kv) {
    Map<String, Object> c = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "earliest", "enable.auto.commit", false,
        "heartbeat.interval.ms", 300, "session.timeout.ms", 6000, "fetch.max.wait.ms", 200, "group.protocol", "classic"));
    for (int i = 0; i < kv.length; i += 2) c.put((String) kv[i], kv[i + 1]);
    return new KafkaConsumer<>(c, new StringDeserializer(), new StringDeserializer());
  }

  static void send(String topic, int partition, String... values) throws Exception {
    try (var p = producer()) { for (String v : values) p.send(new ProducerRecord<>(topic, partition, null, v)).get(); }
  }

  static TopicPartition tp(String topic, int partition) { return new TopicPartition(topic, partition); }
  static String[] numbered(int n) { return IntStream.range(0, n).mapToObj(i -> "v" + i).toArray(String[]::new); }

  static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> c, int count) {
    List<ConsumerRecord<String, String>> got = new ArrayList<>();
    for (long end = System.currentTimeMillis() + patience; got.size() < count && System.currentTimeMillis() < end; ) c.poll(Duration.ofMillis(100)).forEach(got::add);
    check(got.size() >= count, "read only " + got.size() + " of " + count);
    return got;
  }

  static List<ConsumerRecord<String, String>> readAll(String topic, int partition, int count) {
    try (var c = consumer()) { c.assign(List.of(tp(topic, partition))); return read(c, count); }
  }

  static void assigned(KafkaConsumer<?, ?> c, int count, KafkaConsumer<?, ?>... others) {
    for (long end = System.currentTimeMillis() + patience; c.assignment().size() != count; ) {
      check(System.currentTimeMillis() < end, "assigned " + c.assignment());
      c.poll(Duration.ofMillis(50));
      for (var o : others) o.poll(Duration.ofMillis(50));
    }
  }

  static int membersOf(String group) {
    try { return admin.describeConsumerGroups(List.of(group)).all().get().get(group).members().size(); }
    catch (Exception e) { return -1; }
  }

  static long offset(String topic, OffsetSpec spec) throws Exception {
    return admin.listOffsets(Map.of(tp(topic, 0), spec)).partitionResult(tp(topic, 0)).get().offset();
  }

  // ---- producing

  static void recordTooLarge() throws Exception {
    String t = topic(1, "max.message.bytes", "2000");
    try (var p = producer("compression.type", "none")) {
      fails(RecordTooLargeException.class, () -> p.send(new ProducerRecord<>(t, "x".repeat(5000))).get());
      same(0L, p.send(new ProducerRecord<>(t, "small")).get().offset());
    }
  }

  static void acksZero() throws Exception {
    String t = topic(1);
    try (var p = producer("acks", "0", "enable.idempotence", false)) {
      for (int i = 0; i < 50; i++) same(-1L, p.send(new ProducerRecord<>(t, "v" + i)).get().offset());
    }
    if (!restarts) {
      same(List.of(numbered(50)), readAll(t, 0, 50).stream().map(ConsumerRecord::value).toList());
      return;
    }
    // What nobody acknowledges is lost with the node that it was on its way to; what is there is in order.
    send(t, 0, "v50");
    List<String> all = new ArrayList<>();
    try (var c = consumer()) {
      c.assign(List.of(tp(t, 0)));
      while (!all.contains("v50")) read(c, 1).forEach(r -> all.add(r.value()));
    }
    same(all.stream().sorted(Comparator.comparingInt(v -> Integer.parseInt(v.substring(1)))).toList(), all);
  }

  static void logAppendTime() throws Exception {
    String t = topic(1, "message.timestamp.type", "LogAppendTime");
    long before = System.currentTimeMillis();
    try (var p = producer()) {
      var m = p.send(new ProducerRecord<>(t, 0, 1000L, "k", "v")).get();
      check(m.timestamp() >= before - 1000, "the producer is told " + m.timestamp());
      var r = readAll(t, 0, 1).get(0);
      same(TimestampType.LOG_APPEND_TIME, r.timestampType());
      same(m.timestamp(), r.timestamp());
    }
  }

  static void invalidTimestamp() throws Exception {
    String t = topic(1, "message.timestamp.after.max.ms", "1000", "message.timestamp.before.max.ms", "100000");
    try (var p = producer()) {
      fails(InvalidTimestampException.class, () -> p.send(new ProducerRecord<>(t, 0, System.currentTimeMillis() + 600_000, "k", "late")).get());
      fails(InvalidTimestampException.class, () -> p.send(new ProducerRecord<>(t, 0, System.currentTimeMillis() - 600_000, "k", "old")).get());
      same(0L, p.send(new ProducerRecord<>(t, 0, System.currentTimeMillis(), "k", "v")).get().offset());
    }
  }

  static void topicCompression() throws Exception {
    String t = topic(1, "compression.type", "gzip");
    String v = "0".repeat(200_000);
    try (var p = producer("compression.type", "none")) { for (int i = 0; i < 5; i++) p.send(new ProducerRecord<>(t, v)).get(); }
    same(List.of(v, v, v, v, v), readAll(t, 0, 5).stream().map(ConsumerRecord::value).toList());
    long size = size(t);
    check(size < 100_000, "the topic compresses, and yet there are " + size + " bytes");
  }

  static long size(String t) throws Exception {
    int id = admin.describeCluster().nodes().get().iterator().next().id();
    return admin.describeLogDirs(List.of(id)).allDescriptions().get().get(id).values().stream()
        .map(d -> d.replicaInfos().get(tp(t, 0))).filter(Objects::nonNull).mapToLong(ReplicaInfo::size).sum();
  }

  static void unknownTopicWithoutCreation() throws Exception {
    try (var p = producer("max.block.ms", 1500)) {
      fails(TimeoutException.class, () -> p.send(new ProducerRecord<>(topic(1), 7, "k", "v")).get());   // partition 7 of 1
    }
    try (var c = consumer("allow.auto.create.topics", false)) {
      c.assign(List.of(tp("never-" + tag, 0)));
      c.poll(Duration.ofMillis(500));
    }
    fails(UnknownTopicOrPartitionException.class, () -> admin.describeTopics(List.of("never-" + tag)).allTopicNames().get());
  }

  static void producerState() throws Exception {
    String t = topic(1);
    try (var p = producer()) {
      for (int i = 0; i < 3; i++) p.send(new ProducerRecord<>(t, "v")).get();
      var states = admin.describeProducers(List.of(tp(t, 0))).partitionResult(tp(t, 0)).get().activeProducers();
      same(1, states.size());
      same(2, states.get(0).lastSequence());
    }
  }

  // ---- reading

  static void outOfRange() throws Exception {
    String t = topic(1);
    send(t, 0, numbered(6));
    same(4L, admin.deleteRecords(Map.of(tp(t, 0), RecordsToDelete.beforeOffset(4))).lowWatermarks().get(tp(t, 0)).get().lowWatermark());
    fails(org.apache.kafka.common.errors.OffsetOutOfRangeException.class, () -> admin.deleteRecords(Map.of(tp(t, 0), RecordsToDelete.beforeOffset(40))).all().get());
    try (var c = consumer("auto.offset.reset", "none")) {
      c.assign(List.of(tp(t, 0)));
      c.seek(tp(t, 0), 1);
      fails(org.apache.kafka.clients.consumer.OffsetOutOfRangeException.class, () -> { for (int i = 0; i < 50; i++) c.poll(Duration.ofMillis(100)); });
    }
    try (var c = consumer()) {
      c.assign(List.of(tp(t, 0)));
      c.seek(tp(t, 0), 1);
      same(List.of(4L, 5L), read(c, 2).stream().map(ConsumerRecord::offset).toList());
      same(4L, c.beginningOffsets(c.assignment()).get(tp(t, 0)));
      same(6L, c.endOffsets(c.assignment()).get(tp(t, 0)));
    }
  }

  static void offsetsByTime() throws Exception {
    String t = topic(1);
    try (var p = producer()) {
      for (long ts : new long[] {1000, 2000, 5000, 3000, 9000}) p.send(new ProducerRecord<>(t, 0, ts, "k", "v")).get();
    }
    try (var c = consumer()) {
      Map<Long, Long> want = new TreeMap<>(Map.of(0L, 0L, 1000L, 0L, 1001L, 1L, 2001L, 2L, 4000L, 2L, 5001L, 4L, 9000L, 4L));
      for (var e : want.entrySet()) same(e.getValue(), c.offsetsForTimes(Map.of(tp(t, 0), e.getKey())).get(tp(t, 0)).offset());
      same(null, c.offsetsForTimes(Map.of(tp(t, 0), 9001L)).get(tp(t, 0)));
    }
    same(4L, offset(t, OffsetSpec.maxTimestamp()));
    same(0L, offset(t, OffsetSpec.earliest()));
    same(0L, offset(t, OffsetSpec.earliestLocal()));
    same(5L, offset(t, OffsetSpec.latest()));
    same(-1L, offset(t, OffsetSpec.forTimestamp(10_000)));
  }

  static void largeRecordSmallFetch() throws Exception {
    String t = topic(1);
    send(t, 0, "x".repeat(400_000), "y".repeat(400_000), "z");
    try (var c = consumer("fetch.max.bytes", 1000, "max.partition.fetch.bytes", 1000)) {
      c.assign(List.of(tp(t, 0)));
      same(3, read(c, 3).size());
    }
  }

  static void manyPartitions() throws Exception {
    String t = topic(150);
    try (var p = producer("linger.ms", 5)) {
      for (int round = 0; round < 3; round++) for (int i = 0; i < 150; i++) p.send(new ProducerRecord<>(t, i, null, round + ""));
    }
    try (var c = consumer("max.partition.fetch.bytes", 500)) {
      c.assign(IntStream.range(0, 150).mapToObj(i -> tp(t, i)).toList());
      same(450, read(c, 450).size());
      send(t, 149, "last");
      same("last", read(c, 1).get(0).value());
      c.pause(c.assignment());
      c.resume(List.of(tp(t, 3)));
      send(t, 4, "paused");
      send(t, 3, "awake");
      same("awake", read(c, 1).get(0).value());
    }
  }

  static void subscribedPattern() throws Exception {
    String prefix = name + "-" + tag;
    topicNamed(prefix + "-one", 1);
    try (var c = consumer("group.id", prefix, "metadata.max.age.ms", 300)) {
      c.subscribe(Pattern.compile(Pattern.quote(prefix) + "-.*"));
      assigned(c, 1);
      topicNamed(prefix + "-two", 2);
      assigned(c, 3);
      admin.deleteTopics(List.of(prefix + "-two")).all().get();
      assigned(c, 1);
    }
  }

  static void deletedAndMadeAgain() throws Exception {
    String t = topic(1);
    send(t, 0, "before");
    Uuid first = admin.describeTopics(List.of(t)).allTopicNames().get().get(t).topicId();
    admin.deleteTopics(List.of(t)).all().get();
    until("the deletion", () -> partitionsOf(t) < 0);
    topic(2);
    Uuid second = admin.describeTopics(List.of(t)).allTopicNames().get().get(t).topicId();
    check(!first.equals(second), "the new topic has the old id");
    fails(UnknownTopicIdException.class, () -> admin.describeTopics(TopicCollection.ofTopicIds(List.of(first))).allTopicIds().get());
    same(t, admin.describeTopics(TopicCollection.ofTopicIds(List.of(second))).allTopicIds().get().get(second).name());
    same(0L, offset(t, OffsetSpec.latest()));
    send(t, 0, "after");
    same("after", readAll(t, 0, 1).get(0).value());
  }

  // ---- groups

  static void staticMember() throws Exception {
    String t = topic(4), g = t;
    try (var one = consumer("group.id", g, "group.instance.id", "one", "session.timeout.ms", 10_000)) {
      var two = consumer("group.id", g, "group.instance.id", "two", "session.timeout.ms", 10_000);
      one.subscribe(List.of(t)); two.subscribe(List.of(t));
      assigned(one, 4);
      assigned(two, 2, one); assigned(one, 2, two);
      var mine = Set.copyOf(one.assignment()); var theirs = Set.copyOf(two.assignment());
      int generation = one.groupMetadata().generationId();
      two.close();                                     // a static member does not leave
      var back = consumer("group.id", g, "group.instance.id", "two", "session.timeout.ms", 10_000);
      back.subscribe(List.of(t));
      assigned(back, 2, one);
      same(theirs, back.assignment()); same(mine, one.assignment());
      same(generation, one.groupMetadata().generationId());
      var twin = consumer("group.id", g, "group.instance.id", "two", "session.timeout.ms", 10_000);
      twin.subscribe(List.of(t));
      assigned(twin, 2, one);
      fails(FencedInstanceIdException.class, () -> {
        for (int i = 0; i < 100; i++) {
          back.poll(Duration.ofMillis(50));
          // Where the heartbeat heard of it first, a commit only knows that it is no member; the next poll says why.
          try { back.commitSync(); } catch (CommitFailedException expelled) { }
        }
      });
      admin.removeMembersFromConsumerGroup(g, new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("two")))).all().get();
      assigned(one, 4);
      twin.close(CloseOptions.timeout(Duration.ofSeconds(1))); back.close(CloseOptions.timeout(Duration.ofSeconds(1)));
    }
  }

  static void cooperative() throws Exception {
    String t = topic(4);
    String[] sticky = {"partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"};
    Set<TopicPartition> revoked = ConcurrentHashMap.newKeySet();
    try (var one = consumer("group.id", t, sticky[0], sticky[1]); var two = consumer("group.id", t, sticky[0], sticky[1])) {
      one.subscribe(List.of(t), new ConsumerRebalanceListener() {
        public void onPartitionsAssigned(Collection<TopicPartition> p) {}
        public void onPartitionsRevoked(Collection<TopicPartition> p) { revoked.addAll(p); }
      });
      assigned(one, 4);
      two.subscribe(List.of(t));
      assigned(two, 2, one); assigned(one, 2, two);
      same(2, revoked.size());
      check(Collections.disjoint(one.assignment(), two.assignment()), "one partition, two owners");
      var d = admin.describeConsumerGroups(List.of(t)).all().get().get(t);
      same(2, d.members().size());
      same("cooperative-sticky", d.partitionAssignor());
    }
  }

  static void commits() throws Exception {
    String t = topic(2);
    send(t, 0, numbered(5));
    try (var c = consumer("group.id", t)) {
      c.subscribe(List.of(t));
      assigned(c, 2);
      // Else the client may still wait for the offsets that it begins at, and gives that older answer to us.
      c.position(tp(t, 0)); c.position(tp(t, 1));
      c.commitSync(Map.of(tp(t, 0), new OffsetAndMetadata(3, Optional.of(0), "a note")));
      var m = c.committed(Set.of(tp(t, 0), tp(t, 1)));
      same(new OffsetAndMetadata(3, Optional.of(0), "a note"), m.get(tp(t, 0)));
      same(null, m.get(tp(t, 1)));
      fails(OffsetMetadataTooLarge.class, () -> c.commitSync(Map.of(tp(t, 0), new OffsetAndMetadata(4, "x".repeat(10_000)))));
      fails(GroupNotEmptyException.class, () -> admin.deleteConsumerGroups(List.of(t)).all().get());
      fails(UnknownMemberIdException.class, () -> admin.alterConsumerGroupOffsets(t, Map.of(tp(t, 0), new OffsetAndMetadata(1))).all().get());
      fails(GroupSubscribedToTopicException.class, () -> admin.deleteConsumerGroupOffsets(t, Set.of(tp(t, 0))).all().get());
    }
    // A coordinator that was going may not have heard that the member left: then its session has to end.
    if (restarts) until("the group to be empty", () -> membersOf(t) == 0);
    admin.alterConsumerGroupOffsets(t, Map.of(tp(t, 1), new OffsetAndMetadata(9))).all().get();
    same(9L, admin.listConsumerGroupOffsets(t).partitionsToOffsetAndMetadata().get().get(tp(t, 1)).offset());
    admin.deleteConsumerGroupOffsets(t, Set.of(tp(t, 1))).all().get();
    same(Set.of(tp(t, 0)), admin.listConsumerGroupOffsets(t).partitionsToOffsetAndMetadata().get().keySet());
    admin.deleteConsumerGroups(List.of(t)).all().get();
    fails(GroupIdNotFoundException.class, () -> admin.deleteConsumerGroups(List.of(t)).all().get());
    fails(GroupIdNotFoundException.class, () -> admin.describeConsumerGroups(List.of(t)).all().get());
  }

  static void refusedMembers() throws Exception {
    String t = topic(1);
    try (var c = consumer("group.id", t, "session.timeout.ms", 100, "heartbeat.interval.ms", 30)) {
      c.subscribe(List.of(t));
      fails(InvalidSessionTimeoutException.class, () -> { for (int i = 0; i < 50; i++) c.poll(Duration.ofMillis(100)); });
    }
    try (var one = consumer("group.id", t, "partition.assignment.strategy", "org.apache.kafka.clients.consumer.RoundRobinAssignor");
        var two = consumer("group.id", t, "partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor")) {
      one.subscribe(List.of(t));
      assigned(one, 1);
      two.subscribe(List.of(t));
      fails(InconsistentGroupProtocolException.class, () -> { for (int i = 0; i < 50; i++) two.poll(Duration.ofMillis(100)); });
    }
  }

  static void slowMember() throws Exception {
    String t = topic(1);
    send(t, 0, numbered(3));
    try (var slow = consumer("group.id", t, "max.poll.interval.ms", 1000); var next = consumer("group.id", t)) {
      slow.subscribe(List.of(t));
      same(3, read(slow, 3).size());
      next.subscribe(List.of(t));
      assigned(next, 1);                                // slow does not poll any more
      fails(CommitFailedException.class, slow::commitSync);
    }
  }

  // ---- administration

  static void topicsDescribed() throws Exception {
    String t = name + "-" + tag;
    admin.createTopics(List.of(new NewTopic(t, Optional.of(1), Optional.empty())), new CreateTopicsOptions().validateOnly(true)).all().get();
    same(-1, partitionsOf(t));
    var result = admin.createTopics(List.of(new NewTopic(t, Optional.of(2), Optional.empty()).configs(Map.of("retention.ms", "5000"))));
    same(2, result.numPartitions(t).get());
    // A node that is away just now gets its copies, too.
    int copies = result.replicationFactor(t).get();
    check(copies >= Math.min(3, admin.describeCluster().nodes().get().size()) && copies <= 3, copies + " copies");
    same("5000", result.config(t).get().get("retention.ms").value());
    check(result.topicId(t).get() != null, "no topic id");
    until("the new topic", () -> partitionsOf(t) == 2);
    fails(TopicExistsException.class, () -> admin.createTopics(List.of(new NewTopic(t, 1, (short) 1))).all().get());
    fails(InvalidTopicException.class, () -> admin.createTopics(List.of(new NewTopic("a/b", 1, (short) 1))).all().get());
    fails(InvalidReplicationFactorException.class, () -> admin.createTopics(List.of(new NewTopic(t + "-r", 1, (short) 30))).all().get());
    fails(InvalidPartitionsException.class, () -> admin.createPartitions(Map.of(t, NewPartitions.increaseTo(1))).all().get());
    admin.createPartitions(Map.of(t, NewPartitions.increaseTo(5))).all().get();
    until("more partitions", () -> partitionsOf(t) == 5);
    check(admin.listTopics().names().get().contains(t), "not listed");
    check(!admin.listTopics().names().get().contains("__consumer_offsets"), "internal topics are listed unasked");
    fails(UnknownTopicOrPartitionException.class, () -> admin.deleteTopics(List.of("never-" + tag)).all().get());
    var cluster = admin.describeCluster();
    same(22, cluster.clusterId().get().length());
    check(cluster.controller().get() != null && cluster.nodes().get().size() >= 1, "no cluster");
  }

  static void configsChanged() throws Exception {
    String t = topic(1, "retention.ms", "1234");
    var r = new ConfigResource(ConfigResource.Type.TOPIC, t);
    Callable<Config> now = () -> admin.describeConfigs(List.of(r), new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true)).all().get().get(r);
    same(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, now.call().get("retention.ms").source());
    admin.incrementalAlterConfigs(Map.of(r, List.of(
        new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE),
        new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND)))).all().get();
    until("the change", () -> { try { return now.call().get("cleanup.policy").value().contains("compact"); } catch (Exception e) { return false; } });
    same(Set.of("delete", "compact"), Set.of(now.call().get("cleanup.policy").value().split(",")));
    same("604800000", now.call().get("retention.ms").value());
    same(ConfigEntry.ConfigSource.DEFAULT_CONFIG, now.call().get("retention.ms").source());
    same(ConfigEntry.ConfigType.LONG, now.call().get("retention.ms").type());
    check(now.call().get("retention.ms").documentation() != null, "no documentation");
    fails(InvalidConfigurationException.class, () -> admin.incrementalAlterConfigs(Map.of(r, List.of(
        new AlterConfigOp(new ConfigEntry("retention.ms", "often"), AlterConfigOp.OpType.SET)))).all().get());
    fails(InvalidConfigurationException.class, () -> admin.incrementalAlterConfigs(Map.of(r, List.of(
        new AlterConfigOp(new ConfigEntry("retention.msec", "1"), AlterConfigOp.OpType.SET)))).all().get());
    fails(UnknownTopicOrPartitionException.class, () -> admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "never-" + tag))).all().get());
  }

  public static void main(String[] args) throws Exception {
    bootstrap = args[0]; tag = args[1];
    Map<String, Check> checks = new LinkedHashMap<>();
    checks.put("recordTooLarge", Semantics::recordTooLarge); checks.put("acksZero", Semantics::acksZero);
    checks.put("logAppendTime", Semantics::logAppendTime); checks.put("invalidTimestamp", Semantics::invalidTimestamp);
    checks.put("topicCompression", Semantics::topicCompression); checks.put("unknownTopic", Semantics::unknownTopicWithoutCreation);
    checks.put("producerState", Semantics::producerState); checks.put("outOfRange", Semantics::outOfRange);
    checks.put("offsetsByTime", Semantics::offsetsByTime); checks.put("largeRecordSmallFetch", Semantics::largeRecordSmallFetch);
    checks.put("manyPartitions", Semantics::manyPartitions); checks.put("subscribedPattern", Semantics::subscribedPattern);
    checks.put("deletedAndMadeAgain", Semantics::deletedAndMadeAgain); checks.put("staticMember", Semantics::staticMember);
    checks.put("cooperative", Semantics::cooperative); checks.put("commits", Semantics::commits);
    checks.put("refusedMembers", Semantics::refusedMembers); checks.put("slowMember", Semantics::slowMember);
    checks.put("topicsDescribed", Semantics::topicsDescribed); checks.put("configsChanged", Semantics::configsChanged);
    Set<String> wanted = args.length > 2 ? Set.of(Arrays.copyOfRange(args, 2, args.length)) : checks.keySet();
    ObjectMapper json = new ObjectMapper();
    admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap));
    for (var e : checks.entrySet()) {
      if (!wanted.contains(e.getKey())) continue;
      name = "semantics-" + e.getKey();
      long begun = System.currentTimeMillis();
      ObjectNode line = json.createObjectNode().put("scenario", e.getKey());
      try { e.getValue().run(); line.put("ok", true); }
      catch (Throwable t) {
        StringWriter trace = new StringWriter();
        t.printStackTrace(new PrintWriter(trace));
        line.put("ok", false).put("error", trace.toString().lines().limit(9).collect(Collectors.joining("\n")));
      }
      System.out.println(line.put("ms", System.currentTimeMillis() - begun));
    }
    System.exit(0);
  }
}

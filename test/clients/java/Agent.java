// Kafka's own Java clients as an agent of the client matrix (see ../README.md for the verbs): java Agent HOST:PORT
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.AppInfoParser;

public class Agent {
  static final ObjectMapper JSON = new ObjectMapper();
  static final Object OUT = new Object();
  static String bootstrap;
  static volatile boolean leaving;
  static Thread member, writer;

  static void emit(ObjectNode message) {
    synchronized (OUT) { System.out.println(message); System.out.flush(); }
  }

  static String text(byte[] bytes) { return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8); }
  static byte[] raw(JsonNode value) { return value == null || value.isNull() ? null : value.textValue().getBytes(StandardCharsets.UTF_8); }

  static byte[] padded(int n, int size) {
    String digits = Integer.toString(n);
    return (digits + ".".repeat(Math.max(0, size - digits.length()))).getBytes(StandardCharsets.US_ASCII);
  }

  static int number(byte[] value) {
    String s = text(value);
    int dot = s.indexOf('.');
    return Integer.parseInt(dot < 0 ? s : s.substring(0, dot));
  }

  static ArrayNode row(ConsumerRecord<byte[], byte[]> r) {
    return JSON.createArrayNode().add(r.partition()).add(r.offset()).add(number(r.value()));
  }

  static ObjectNode record(ConsumerRecord<byte[], byte[]> r) {
    ObjectNode n = JSON.createObjectNode().put("partition", r.partition()).put("offset", r.offset())
        .put("key", text(r.key())).put("value", text(r.value())).put("timestamp", r.timestamp());
    ArrayNode headers = n.putArray("headers");
    for (Header h : r.headers()) headers.addArray().add(h.key()).add(text(h.value()));
    return n;
  }

  static Admin admin() { return Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap)); }

  static ObjectNode create(JsonNode c) throws Exception {
    String topic = c.get("topic").asText();
    int want = c.get("partitions").asInt();
    try (Admin admin = admin()) {
      admin.createTopics(List.of(new NewTopic(topic, Optional.of(want), Optional.empty()))).all().get();
      for (int i = 0; ; i++) {
        try {
          int n = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
          if (n == want || i == 100) return JSON.createObjectNode().put("partitions", n);
        } catch (ExecutionException e) { if (i == 100) throw e; }
        Thread.sleep(50);
      }
    }
  }

  static ObjectNode delete(JsonNode c) throws Exception {
    String topic = c.get("topic").asText();
    try (Admin admin = admin()) {
      admin.deleteTopics(List.of(topic)).all().get();
      boolean gone = false;
      for (int i = 0; i < 100 && !gone; i++, Thread.sleep(50)) gone = !admin.listTopics().names().get().contains(topic);
      return JSON.createObjectNode().put("gone", gone);
    }
  }

  static KafkaProducer<byte[], byte[]> producer(JsonNode c, String... more) {
    Map<String, Object> p = new HashMap<>();
    p.put("bootstrap.servers", bootstrap);
    p.put("client.id", "matrix-java");
    p.put("acks", c.path("acks").asText("-1"));
    p.put("enable.idempotence", c.path("idempotent").asBoolean(false));
    p.put("compression.type", c.path("compression").asText("none"));
    p.put("linger.ms", "5");
    for (int i = 0; i < more.length; i += 2) p.put(more[i], more[i + 1]);
    return new KafkaProducer<>(p, new ByteArraySerializer(), new ByteArraySerializer());
  }

  static ObjectNode produce(JsonNode c) throws Exception {
    Map<Integer, Long> first = new TreeMap<>();
    try (var p = producer(c)) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (JsonNode r : c.get("records")) {
        List<Header> headers = new ArrayList<>();
        for (JsonNode h : r.path("headers")) headers.add(new RecordHeader(h.get(0).asText(), raw(h.get(1))));
        Long timestamp = r.has("timestamp") ? r.get("timestamp").asLong() : null;
        sent.add(p.send(new ProducerRecord<>(c.get("topic").asText(), r.get("partition").asInt(), timestamp, raw(r.get("key")), raw(r.get("value")), headers)));
      }
      for (var f : sent) first.merge(f.get().partition(), f.get().offset(), Math::min);
    }
    ObjectNode answer = JSON.createObjectNode();
    ObjectNode offsets = answer.putObject("offsets");
    first.forEach((partition, offset) -> offsets.put(partition.toString(), offset));
    return answer;
  }

  static ObjectNode bulk(JsonNode c) throws Exception {
    AtomicReference<Exception> failed = new AtomicReference<>();
    int from = c.path("from").asInt(0), count = c.get("count").asInt(), partitions = c.get("partitions").asInt(), size = c.get("size").asInt();
    try (var p = producer(c)) {
      for (int i = from; i < from + count; i++)
        p.send(new ProducerRecord<>(c.get("topic").asText(), i % partitions, null, padded(i, size)), (m, e) -> { if (e != null) failed.set(e); });
      p.flush();
    }
    if (failed.get() != null) throw failed.get();
    return null;
  }

  static KafkaConsumer<byte[], byte[]> consumer(JsonNode c) {
    return new KafkaConsumer<>(Map.of(
        "bootstrap.servers", bootstrap, "group.id", c.get("group").asText(), "auto.offset.reset", c.path("reset").asText("earliest"),
        "session.timeout.ms", c.path("sessionMs").asInt(6000), "heartbeat.interval.ms", 300, "auto.commit.interval.ms", 200,
        "fetch.max.wait.ms", 300, "max.poll.records", 5000, "group.protocol", "classic",
        // Both at once, as Kafka's default has it: the group begins with the eager one that everybody knows.
        "partition.assignment.strategy", List.of("org.apache.kafka.clients.consumer.RangeAssignor", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor")),
        new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  static ObjectNode consume(JsonNode c) {
    boolean slim = c.path("slim").asBoolean(false);
    long idle = c.path("idleMs").asLong(300), end = System.currentTimeMillis() + c.path("timeoutMs").asLong(60_000), last = System.currentTimeMillis();
    int count = c.get("count").asInt();
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode got = answer.putArray(slim ? "rows" : "records");
    try (var k = consumer(c)) {
      k.subscribe(List.of(c.get("topic").asText()));
      for (long now = last; now < end && (got.size() < count || now - last < idle); now = System.currentTimeMillis())
        for (var r : k.poll(Duration.ofMillis(50))) { got.add(slim ? row(r) : record(r)); last = now; }
      k.commitSync();
    }
    return answer;
  }

  static ObjectNode join(JsonNode c) {
    member = new Thread(() -> {
      Set<TopicPartition> known = null;
      try (var k = consumer(c)) {
        k.subscribe(List.of(c.get("topic").asText()));
        while (!leaving) {
          ArrayNode rows = JSON.createArrayNode();
          for (var r : k.poll(Duration.ofMillis(50))) rows.add(row(r));
          if (!k.assignment().equals(known)) {
            known = Set.copyOf(k.assignment());
            ObjectNode event = JSON.createObjectNode().put("event", "assigned");
            ArrayNode partitions = event.putArray("partitions");
            known.stream().map(TopicPartition::partition).sorted().forEach(partitions::add);
            emit(event);
          }
          if (!rows.isEmpty()) { ObjectNode event = JSON.createObjectNode().put("event", "got"); event.set("rows", rows); emit(event); }
        }
      } catch (RuntimeException e) { emit(JSON.createObjectNode().put("event", "error").put("error", e.toString())); }
    });
    member.start();
    return null;
  }

  static ObjectNode leave(JsonNode c) throws Exception {
    leaving = true;
    (member == null ? writer : member).join();
    return null;
  }

  // Sends numbers until "stop" and tells the fate of each: the crash proof's writer.
  static ObjectNode load(JsonNode c) {
    int partitions = c.get("partitions").asInt(), size = c.path("size").asInt(100), from = c.path("from").asInt(0);
    String topic = c.get("topic").asText();
    writer = new Thread(() -> {
      try (var p = producer(c, "delivery.timeout.ms", "60000", "request.timeout.ms", "10000", "retry.backoff.ms", "20", "retry.backoff.max.ms", "200",
          "reconnect.backoff.ms", "20", "reconnect.backoff.max.ms", "200", "max.block.ms", "60000")) {
        for (int i = from; !leaving; i++) {
          int n = i;
          p.send(new ProducerRecord<>(topic, i % partitions, null, padded(i, size)), (m, e) -> {
            ObjectNode event = JSON.createObjectNode().put("event", "fate").put("n", n).put("p", n % partitions);
            emit(e == null ? event.put("o", m.offset()) : event.put("error", e.toString()));
          });
          java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
      }
    });
    writer.start();
    return null;
  }

  interface Verb { ObjectNode run(JsonNode c) throws Exception; }

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    Map<String, Verb> verbs = Map.of("create", Agent::create, "delete", Agent::delete, "produce", Agent::produce, "bulk", Agent::bulk,
        "consume", Agent::consume, "join", Agent::join, "leave", Agent::leave, "load", Agent::load, "stop", Agent::leave);
    ObjectNode hello = JSON.createObjectNode().put("client", "java").put("version", AppInfoParser.getVersion());
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) hello.withArray("compressions").add(codec);
    hello.put("idempotent", true).put("duplicateHeaders", true);
    emit(JSON.createObjectNode().set("hello", hello));
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      JsonNode c = JSON.readTree(line);
      ObjectNode answer = JSON.createObjectNode().set("id", c.get("id"));
      try {
        ObjectNode result = verbs.get(c.get("do").asText()).run(c);
        answer.put("ok", true);
        if (result != null) answer.setAll(result);
      } catch (Exception | Error e) {
        StringWriter trace = new StringWriter();
        e.printStackTrace(new PrintWriter(trace));
        answer.put("ok", false).put("error", trace.toString().lines().limit(12).reduce("", (a, b) -> a + b + "\n"));
      }
      emit(answer);
    }
    System.exit(0);
  }
}

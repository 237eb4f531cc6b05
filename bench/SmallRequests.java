// Many small producers without batching: CONNECTIONS connections, each with one Produce request of one record in flight.
//   java SmallRequests.java HOST:PORT TOPIC PARTITIONS CONNECTIONS SIZE WARM_SECONDS SECONDS
// The bytes of a request are made once, one thread drives all connections: the generator costs little and costs the
// same whichever broker answers. Prints "measuring" when the warm-up is over, and then one line:
//   requests=N seconds=S p50_us= p95_us= p99_us= max_us=
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

public class SmallRequests {
  static final int PRODUCE = 0, VERSION = 7, ACKS = -1, TIMEOUT_MS = 30_000;

  /** One connection: what it sends, what has come of the answer, and when it asked. */
  static final class Producer {
    final SocketChannel channel;
    final ByteBuffer request;
    final ByteBuffer answer = ByteBuffer.allocateDirect(512);
    long askedAt;

    Producer(SocketChannel channel, byte[] request) {
      this.channel = channel;
      this.request = ByteBuffer.allocateDirect(request.length).put(request);
    }

    void ask() throws Exception {
      request.rewind();
      askedAt = System.nanoTime();
      while (request.hasRemaining()) channel.write(request);
    }

    /** True when the answer is complete. Throws when it is an error. */
    boolean read() throws Exception {
      if (channel.read(answer) < 0) throw new IllegalStateException("the broker closed the connection");
      if (answer.position() < 4 || answer.position() < 4 + answer.getInt(0)) return false;
      int nameLength = answer.getShort(12);
      short error = answer.getShort(14 + nameLength + 8);
      if (error != 0) throw new IllegalStateException("the broker answered error " + error);
      answer.clear();
      return true;
    }
  }

  public static void main(String[] a) throws Exception {
    String[] address = a[0].split(":");
    String topic = a[1];
    int partitions = Integer.parseInt(a[2]), connections = Integer.parseInt(a[3]), size = Integer.parseInt(a[4]);
    long warm = (long) (Double.parseDouble(a[5]) * 1e9), span = (long) (Double.parseDouble(a[6]) * 1e9);
    Selector selector = Selector.open();
    for (int i = 0; i < connections; i++) {
      SocketChannel channel = SocketChannel.open(new InetSocketAddress(address[0], Integer.parseInt(address[1])));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.configureBlocking(false);
      Producer producer = new Producer(channel, request(topic, i % partitions, i, batch(size)));
      channel.register(selector, SelectionKey.OP_READ, producer);
    }
    for (SelectionKey key : selector.keys()) ((Producer) key.attachment()).ask();

    long[] latencies = new long[1 << 16];
    int count = 0;
    boolean measuring = false;
    long begin = System.nanoTime(), end = begin + warm;
    while (true) {
      selector.select(1000);
      for (SelectionKey key : selector.selectedKeys()) {
        Producer producer = (Producer) key.attachment();
        if (!producer.read()) continue;
        if (measuring) {
          if (count == latencies.length) latencies = Arrays.copyOf(latencies, 2 * count);
          latencies[count++] = System.nanoTime() - producer.askedAt;
        }
        producer.ask();
      }
      selector.selectedKeys().clear();
      long now = System.nanoTime();
      if (now < end) continue;
      if (measuring) { end = now; break; }
      measuring = true;
      begin = now;
      end = now + span;
      System.out.println("measuring");
    }
    if (count == 0) throw new IllegalStateException("no answer in time");
    long[] sorted = Arrays.copyOf(latencies, count);
    Arrays.sort(sorted);
    System.out.printf("requests=%d seconds=%.3f p50_us=%d p95_us=%d p99_us=%d max_us=%d%n", count, (end - begin) / 1e9,
        at(sorted, 0.5), at(sorted, 0.95), at(sorted, 0.99), sorted[count - 1] / 1000);
  }

  static long at(long[] sorted, double quantile) {
    return sorted[(int) Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] / 1000;
  }

  /** A whole frame: header version 1 and a Produce request of one batch. */
  static byte[] request(String topic, int partition, int correlationId, byte[] batch) {
    ByteBuffer b = ByteBuffer.allocate(256 + batch.length);
    b.putInt(0).putShort((short) PRODUCE).putShort((short) VERSION).putInt(correlationId);
    string(b, "small-requests");
    b.putShort((short) -1).putShort((short) ACKS).putInt(TIMEOUT_MS);
    b.putInt(1);
    string(b, topic);
    b.putInt(1).putInt(partition).putInt(batch.length).put(batch);
    b.putInt(0, b.position() - 4);
    return Arrays.copyOf(b.array(), b.position());
  }

  static void string(ByteBuffer b, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    b.putShort((short) bytes.length).put(bytes);
  }

  /** A record batch of one record: a value of SIZE bytes, no key. */
  static byte[] batch(int size) {
    ByteBuffer record = ByteBuffer.allocate(size + 32);
    record.put((byte) 0);                                   // attributes
    varint(record, 0); varint(record, 0); varint(record, -1); // timestamp and offset deltas, no key
    varint(record, size);
    for (int i = 0; i < size; i++) record.put((byte) ('a' + i % 26));
    varint(record, 0);                                      // no headers
    record.flip();
    long now = System.currentTimeMillis();
    ByteBuffer b = ByteBuffer.allocate(80 + size + 32);
    b.putLong(0).putInt(0).putInt(-1).put((byte) 2).putInt(0);
    int crcFrom = b.position();
    b.putShort((short) 0).putInt(0).putLong(now).putLong(now).putLong(-1).putShort((short) -1).putInt(-1).putInt(1);
    varint(b, record.remaining());
    b.put(record);
    b.putInt(8, b.position() - 12);
    CRC32C crc = new CRC32C();
    crc.update(b.array(), crcFrom, b.position() - crcFrom);
    b.putInt(17, (int) crc.getValue());
    return Arrays.copyOf(b.array(), b.position());
  }

  static void varint(ByteBuffer b, int value) {
    int v = (value << 1) ^ (value >> 31);
    while ((v & ~0x7f) != 0) { b.put((byte) (v & 0x7f | 0x80)); v >>>= 7; }
    b.put((byte) v);
  }
}

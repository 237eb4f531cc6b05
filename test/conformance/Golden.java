import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.jar.JarFile;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Fills every message of Kafka's own classes with random values, in every version, and prints what Kafka makes of them:
 * one line each of name, version and bytes in hex.
 *
 * java [-Djar=JAR -Dpackage=org/apache/kafka/common/metadata/] -cp JARS Golden.java SEED INSTANCES [NAME]
 */
public class Golden {
    static final String PACKAGE = System.getProperty("package", "org/apache/kafka/common/message/");
    static Random random;
    static Method readableRecords;

    public static void main(String[] args) throws Exception {
        long seed = Long.parseLong(args[0]);
        int instances = Integer.parseInt(args[1]);
        String only = args.length > 2 ? args[2] : null;
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.US_ASCII);
        for (String name : messageClasses()) {
            Class<?> type = Class.forName(name);
            if (!Message.class.isAssignableFrom(type)) continue;
            String simple = type.getSimpleName().replaceAll("(Request|Response)Data$", "$1");
            if (only != null && !only.equals(simple)) continue;
            Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
            Message sample = (Message) type.getConstructor().newInstance();
            for (short version = sample.lowestSupportedVersion(); version <= sample.highestSupportedVersion(); version++) {
                // One seed for each message and version: a vector stays what it is when others come or go.
                random = new Random(seed * 31 + simple.hashCode() * 131L + version);
                for (int i = 0; i < instances; i++) {
                    Message message = (Message) fill(type, schemas[version]);
                    out.println(simple + " " + version + " " + hex(message, version));
                }
            }
        }
        out.flush();
    }

    static Collection<String> messageClasses() throws Exception {
        String jar = System.getProperty("jar", Message.class.getProtectionDomain().getCodeSource().getLocation().getPath());
        TreeSet<String> names = new TreeSet<>();
        try (JarFile file = new JarFile(jar)) {
            file.stream().map(entry -> entry.getName())
                .filter(name -> name.startsWith(PACKAGE) && name.endsWith(".class") && name.indexOf('$') < 0)
                .filter(name -> !name.endsWith("JsonConverter.class"))
                .forEach(name -> names.add(name.substring(0, name.length() - 6).replace('/', '.')));
        }
        return names;
    }

    static String hex(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) throw new IllegalStateException("size of " + message);
        return HexFormat.of().formatHex(buffer.array());
    }

    /** A new instance with the fields that this version has, so that Kafka refuses none of them. */
    static Object fill(Class<?> type, Schema schema) throws Exception {
        Object message = type.getConstructor().newInstance();
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields) {
                for (var field : taggedFields((TaggedFields) bound.def.type)) {
                    if (random.nextInt(3) > 0) set(message, field.name, field.type);
                }
            } else if (random.nextInt(12) > 0 || bound.def.type instanceof Schema || neverNull(bound.def.name)) {
                set(message, bound.def.name, bound.def.type);
            } else if (read(message, bound.def.name) == null && !bound.def.type.isNullable()) {
                set(message, bound.def.name, bound.def.type);
            } // else: the default stays
        }
        return message;
    }

    /** The accessor came with Kafka 4; the field was there before. */
    @SuppressWarnings("unchecked")
    static Collection<org.apache.kafka.common.protocol.types.Field> taggedFields(TaggedFields type) throws Exception {
        Field field = TaggedFields.class.getDeclaredField("fields");
        field.setAccessible(true);
        return ((Map<Integer, org.apache.kafka.common.protocol.types.Field>) field.get(type)).values();
    }

    static Field find(Object message, String snake) throws Exception {
        String plain = snake.replace("_", "");
        for (Field field : message.getClass().getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers()) && field.getName().equalsIgnoreCase(plain)) {
                field.setAccessible(true);
                return field;
            }
        }
        throw new IllegalStateException("no field " + snake + " in " + message.getClass());
    }

    static Object read(Object message, String name) throws Exception {
        return find(message, name).get(message);
    }

    /** The type "records" is nullable in any schema, but not this field of FetchSnapshot. */
    static boolean neverNull(String name) {
        return name.equals("unaligned_records");
    }

    static void set(Object message, String name, Type type) throws Exception {
        Field field = find(message, name);
        if (neverNull(name)) field.set(message, records());
        else field.set(message, value(field.getType(), field.getGenericType(), type));
    }

    static Object value(Class<?> raw, java.lang.reflect.Type generic, Type type) throws Exception {
        if (type.isNullable() && random.nextInt(5) == 0) return null;
        if (raw == boolean.class || raw == Boolean.class) return random.nextBoolean();
        if (raw == byte.class || raw == Byte.class) return (byte) integer(8);
        if (raw == short.class || raw == Short.class) return (short) integer(16);
        // Unsigned shorts are kept in an int, unsigned ints in a long.
        if (raw == int.class || raw == Integer.class) {
            return type.toString().equals("UINT16") ? random.nextInt(1 << 16) : (int) integer(32);
        }
        if (raw == long.class || raw == Long.class) {
            return type.toString().equals("UINT32") ? integer(32) & 0xffffffffL : integer(64);
        }
        if (raw == double.class) return random.nextInt(4) == 0 ? random.nextInt(100) : random.nextGaussian() * 1e9;
        if (raw == String.class) return text();
        if (raw == Uuid.class) return random.nextInt(4) == 0 ? Uuid.ZERO_UUID : new Uuid(random.nextLong(), random.nextLong());
        if (raw == byte[].class) return bytes();
        if (raw == ByteBuffer.class) return ByteBuffer.wrap(bytes());
        if (raw.getSimpleName().equals("BaseRecords")) return records();
        if (Collection.class.isAssignableFrom(raw)) return collection(raw, generic, type);
        return fill(raw, (Schema) type); // a nullable struct's schema extends Schema, too
    }

    static Object collection(Class<?> raw, java.lang.reflect.Type generic, Type type) throws Exception {
        Type element = type.arrayElementType().get();
        int length = random.nextInt(8) == 0 ? 130 / (1 + random.nextInt(60)) : random.nextInt(3);
        @SuppressWarnings("unchecked")
        Collection<Object> values = raw == List.class ? new ArrayList<>() : (Collection<Object>) raw.getConstructor().newInstance();
        java.lang.reflect.Type parameterized = raw == List.class ? generic : raw.getGenericSuperclass();
        Class<?> of = (Class<?>) ((ParameterizedType) parameterized).getActualTypeArguments()[0];
        for (int i = 0; i < length; i++) values.add(value(of, of, element));
        return values;
    }

    /** Mostly small and special numbers; of 64 bits, only what a double can hold, and Java's two extremes. */
    static long integer(int bits) {
        switch (random.nextInt(8)) {
            case 0: return 0;
            case 1: return -1;
            case 2: return 1 + random.nextInt(100);
            case 3: return bits == 64 ? Long.MAX_VALUE : (1L << (bits - 1)) - 1;
            case 4: return bits == 64 ? Long.MIN_VALUE : -(1L << (bits - 1));
            case 5: return bits == 64 ? (1L << 53) - 1 : random.nextInt();
            case 6: return bits == 64 ? -(1L << 53) + 1 : random.nextInt();
            default: return bits == 64 ? random.nextLong() >> 11 : random.nextInt();
        }
    }

    static String text() {
        int length = random.nextInt(10) == 0 ? 100 + random.nextInt(200) : random.nextInt(20);
        int[] points = new int[length];
        int kind = random.nextInt(4);
        for (int i = 0; i < length; i++) {
            if (kind < 2) points[i] = 32 + random.nextInt(95);
            else if (kind == 2) points[i] = random.nextInt(0xd800);
            else points[i] = random.nextBoolean() ? 0x1f600 + random.nextInt(64) : 97 + random.nextInt(26);
        }
        return new String(points, 0, length);
    }

    static byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(12) == 0 ? 1000 + random.nextInt(1000) : random.nextInt(40)];
        random.nextBytes(bytes);
        return bytes;
    }

    static Object records() throws Exception {
        if (readableRecords == null) {
            Class<?> type;
            try {
                type = Class.forName("org.apache.kafka.common.record.internal.MemoryRecords"); // since 4.3 or so
            } catch (ClassNotFoundException e) {
                type = Class.forName("org.apache.kafka.common.record.MemoryRecords");
            }
            readableRecords = type.getMethod("readableRecords", ByteBuffer.class);
        }
        return readableRecords.invoke(null, ByteBuffer.wrap(bytes()));
    }
}

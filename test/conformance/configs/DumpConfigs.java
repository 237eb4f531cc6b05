import java.lang.reflect.Field;
import java.util.*;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;

/** Prints every setting of the Kafka on the class path, one a line: kind, name, type, default, range, update mode, internal. */
public class DumpConfigs {
  public static void main(String[] args) throws Exception {
    print("broker", kafka.server.KafkaConfig.configDef());
    print("broker", QuotaConfig.brokerQuotaConfigs());
    print("topic", LogConfig.configDefCopy());
    print("group", GroupConfig.CONFIG_DEF);
    for (Field field : ClientMetricsConfigs.class.getDeclaredFields()) {
      if (field.getType() != ConfigDef.class) continue;
      field.setAccessible(true);
      print("client-metrics", (ConfigDef) field.get(null));
    }
  }

  static void print(String kind, ConfigDef definitions) {
    Map<String, String> modes = DynamicBrokerConfig.dynamicConfigUpdateModes();
    for (ConfigDef.ConfigKey key : new TreeMap<>(definitions.configKeys()).values()) {
      String value = key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : "required";
      String mode = kind.equals("broker") ? modes.getOrDefault(key.name, "never") : "never";
      String valid = key.validator == null ? "" : key.validator.toString();
      System.out.println(String.join("\t", kind, key.name, key.type.toString().toLowerCase(), value == null ? "null" : value,
          valid, mode, String.valueOf(key.internalConfig)));
    }
  }
}

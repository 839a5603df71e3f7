// A service that follows parking statuses: it prints each change, and what is delivered again only once.
//
//     KAFKA_BROKERS=localhost:9092 java -cp 'kafka_2.13-4.1.1/libs/*' Subscribe.java

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

public class Subscribe {
  private static final ObjectMapper JSON = new ObjectMapper();
  /** The last revision that was dealt with, by key. A service keeps it where it keeps its results, in one transaction. */
  private static final Map<String, Long> REVISIONS = new HashMap<>();

  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", env.getOrDefault("KAFKA_BROKERS", "localhost:9092"));
    settings.put("group.id", env.getOrDefault("GROUP_ID", "subscriber"));
    settings.put("auto.offset.reset", "earliest");
    settings.put("isolation.level", "read_committed"); // without it, what was aborted would be seen too
    try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      Thread main = Thread.currentThread();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> {
        consumer.wakeup();
        try { main.join(); } catch (InterruptedException e) { }
      }));
      consumer.subscribe(List.of(env.getOrDefault("STATUS_TOPIC", "parkmobile.status-updates")));
      while (true) for (var record : consumer.poll(Duration.ofSeconds(1))) take(record);
    } catch (WakeupException stopped) {
    }
  }

  private static void take(ConsumerRecord<String, String> record) throws Exception {
    if (record.value() == null) { // the session is long over
      REVISIONS.remove(record.key());
      return;
    }
    var type = record.headers().lastHeader("ce_type"); // told by the header, without a look into the value
    if (!"parking.status.changed".equals(new String(type.value(), StandardCharsets.UTF_8))) return;
    JsonNode update = JSON.readTree(record.value());
    long revision = update.get("revision").asLong();
    if (revision <= REVISIONS.getOrDefault(record.key(), 0L)) return; // delivered again
    REVISIONS.put(record.key(), revision);
    System.out.printf("%s %s: %s -> %s%n", record.key(), update.get("kind").asText(),
        update.get("previous_status").asText("new"), update.get("status").asText());
  }
}

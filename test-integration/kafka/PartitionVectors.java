import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

/**
 * Prints where Java's own producer puts a few hundred keys. Made again, with kafka-clients and slf4j-api in libs/, by
 * java -cp "libs/*" test-integration/kafka/PartitionVectors.java > packages/sink-kafka/src/partitioner-vectors.fixture.json
 */
public final class PartitionVectors {
    private static final int[] PARTITIONS = {1, 2, 3, 6, 12, 50, 101, 1000};
    private static final String[] ALPHABETS = {
        "abcdefghijklmnopqrstuvwxyz0123456789-", "äöüßéñÆłЖЯπ", "中文字符日本語한국어", "🚀🌍😀👩‍💻"
    };
    private static final String[] NAMED = {
        "prod:team-a/web", "prod:team-b/api", "prod-eu-1:kube-system/coredns", "staging:default/x", "c:n/a", "prod:team-ü/café",
        "プロッド:名前/空間", "k🚀:ns/emoji", "", "a", "prod:ns/ß-Ж-中", "team-a/web", "arn:aws:eks:eu-1:1/cluster/a:team/web"
    };

    public static void main(String[] arguments) {
        Set<String> keys = new LinkedHashSet<>(List.of(NAMED));
        Random random = new Random(20261125);
        for (String alphabet : ALPHABETS) {
            int[] letters = alphabet.codePoints().toArray();
            for (int length = 1; length <= 20; length++) {
                for (int copy = 0; copy < 4; copy++) keys.add(text(letters, length, random));
            }
            for (int length = 1; length <= 20; length++) {
                keys.add(text(letters, length, random) + ":" + text(letters, length, random) + "/" + text(letters, length, random));
            }
        }
        List<String> lines = new ArrayList<>();
        for (String key : keys) {
            byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
            List<String> partitions = new ArrayList<>();
            for (int count : PARTITIONS) partitions.add(String.valueOf(BuiltInPartitioner.partitionForKey(bytes, count)));
            lines.add("    [\"" + key + "\", [" + String.join(", ", partitions) + "]]");
        }
        List<String> counts = new ArrayList<>();
        for (int count : PARTITIONS) counts.add(String.valueOf(count));
        String json = "{\n  \"partitions\": [" + String.join(", ", counts) + "],\n  \"keys\": [\n" + String.join(",\n", lines) + "\n  ]\n}\n";
        System.out.write(json.getBytes(StandardCharsets.UTF_8), 0, json.getBytes(StandardCharsets.UTF_8).length);
        System.out.flush();
    }

    private static String text(int[] letters, int length, Random random) {
        StringBuilder text = new StringBuilder();
        for (int index = 0; index < length; index++) text.appendCodePoint(letters[random.nextInt(letters.length)]);
        return text.toString();
    }
}

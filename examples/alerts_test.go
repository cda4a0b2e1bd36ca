package examples_test

import (
	"os"
	"regexp"
	"testing"
)

// TestAlertsAreAboutWhatIsMeasured: every figure and label that an alert asks for is one that nodes give.
func TestAlertsAreAboutWhatIsMeasured(t *testing.T) {
	rules, err := os.ReadFile("alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../server/meters.go")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	for _, m := range regexp.MustCompile(`"(rota_[a-z_]+|queue|state|node|outcome)"`).FindAllSubmatch(source, -1) {
		given[string(m[1])] = true
	}
	asked := regexp.MustCompile(`\b(rota_[a-z_]+)|by \(([a-z]+)\)|\$labels\.([a-z]+)`).FindAllStringSubmatch(string(rules), -1)
	if len(asked) < 10 {
		t.Fatalf("only %d are asked for", len(asked))
	}
	for _, m := range asked {
		name := m[1] + m[2] + m[3]
		if !given[name] && name != "instance" && name != "job" { // Prometheus gives these itself
			t.Errorf("%s: nodes do not give it", name)
		}
	}
}

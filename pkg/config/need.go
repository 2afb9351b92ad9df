package config

// Field is one of an image's fields that only some verbs use.
type Field string

// Fields that Need knows.
const (
	FieldSource     Field = "source"
	FieldRepository Field = "repository"
	FieldPrebuilt   Field = "prebuilt"
)

// Need reports, in a *UsageError, which of these fields could not be filled in.
func (i Image) Need(fields ...Field) error { return Suite{Images: []Image{i}}.Need(fields...) }

// Need is Image.Need for every image.
func (s Suite) Need(fields ...Field) error {
	var found problems
	for _, image := range s.Images {
		for _, field := range fields {
			if problem, unfilled := image.Unfilled[field]; unfilled {
				found.add(place{where: problem.Where}, "%s", problem.What)
			}
		}
	}
	return found.err()
}

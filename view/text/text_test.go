package text_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/rivo/tview"

	"github.com/layerscope/layerscope/view/text"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"usr/bin/go":              "usr/bin/go",
		`back\slash`:              `back\slash`,
		"é あ 🎉":                   "é あ 🎉",
		"\x1b[31mred\x1b[0m":      `\x1b[31mred\x1b[0m`,
		"bell\a tab\t nl\n":       `bell\a tab\t nl\n`,
		"c1 \u009b del \x7f":      `c1 \u009b del \x7f`,
		"bidi \u202e \u2066":      `bidi \u202e \u2066`,
		"zero\u200bwidth\u200d":   `zero\u200bwidth\u200d`,
		"bom\ufeff":               `bom\ufeff`,
		"bad \xff\xfe utf8":       `bad \xff\xfe utf8`,
		"half \xe3\x81":           `half \xe3\x81`,
		"no-break\u00a0space":     `no-break\u00a0space`,
		"line\u2028para\u2029":    `line\u2028para\u2029`,
		"tag \U000e0041":          `tag \U000e0041`,
		"private \ue000":          `private \ue000`,
		"filler \u3164\u2800":     `filler \u3164\u2800`,
		"variation \ufe0f":        `variation \ufe0f`,
		"replacement \ufffd real": "replacement \ufffd real",
	} {
		if got := text.Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"a", "\x00", "\x1b]0;x\a", "\u202eabc", "\xff", "[red]", "é\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := text.Printable(s)
		if !utf8.ValidString(p) {
			t.Fatalf("Printable(%q) = %q isn't UTF-8", s, p)
		}
		for _, r := range p {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Co, r) {
				t.Fatalf("Printable(%q) = %q has %U", s, p, r)
			}
		}
		if again := text.Printable(p); again != p {
			t.Fatalf("Printable changes its own result %q to %q", p, again)
		}
	})
}

func TestLines(t *testing.T) {
	if got, want := text.Lines("a\r\nb\tc\n\x1b"), "a\nb    c\n\\x1b"; got != want {
		t.Errorf("Lines = %q, want %q", got, want)
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"RUN a \\\n   && b":      "RUN a && b",
		"RUN a\n\tb\r\nc":        "RUN a b c",
		"  spaced   out ":        "spaced out",
		"RUN printf 'x\\ny'":     "RUN printf 'x\\ny'",
		"RUN \x1b[2J\u202e evil": `RUN \x1b[2J\u202e evil`,
	} {
		if got := text.OneLine(in); got != want {
			t.Errorf("OneLine(%q) = %q, want %q", in, got, want)
		}
	}
}

// drawn returns what a table cell of tview shows of a text.
func drawn(t testing.TB, cell string) string {
	t.Helper()
	s := tcell.NewSimulationScreen("UTF-8")
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	defer s.Fini()
	s.SetSize(400, 1)
	table := tview.NewTable().SetCellSimple(0, 0, cell)
	table.SetRect(0, 0, 400, 1)
	table.Draw(s)
	s.Show()
	var b strings.Builder
	cells, width, _ := s.GetContents()
	for x := 0; x < width; {
		r := string(cells[x].Runes)
		b.WriteString(r)
		x += max(1, text.Width(r)) // a wide character leaves stale bytes behind it
	}
	return strings.TrimRight(b.String(), " ")
}

// FuzzCell draws what Cell returns, alone and between tags, and reads it back
// from the screen.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"[red]", "[a/é[]", "[:::http://x", "[", "]", "[[:]", "a[-]b", "[::b]x[", "[\"region\"]", "あ[red]あ", "[#ff0000::]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.TrimRight(text.Printable(s), " ")
		if text.Width(want) > 100 || text.Width(want) != text.Width("x"+want)-1 || text.Width(want) == 0 && want != "" {
			return // combining with what is before it, or with nothing, or too long for the screen
		}
		if got := drawn(t, text.Cell(s)); got != want {
			t.Errorf("Cell(%q) draws %q, want %q", s, got, want)
		}
		if got := drawn(t, "[red]<"+text.Cell(s)+"[-]>"); got != "<"+text.Printable(s)+">" {
			t.Errorf("Cell(%q) between tags draws %q", s, got)
		}
	})
}

func TestTruncate(t *testing.T) {
	for _, tt := range []struct {
		in          string
		width       int
		end, middle string
	}{
		{"short", 10, "short", "short"},
		{"usr/lib/python3", 8, "usr/lib…", "usr…hon3"},
		{"usr/lib/python3", 1, "…", "…"},
		{"usr/lib/python3", 0, "", ""},
		{"あああああ/data", 8, "あああ…", "あ…data"},
		{"あああああ", 4, "あ…", "…あ"},
		{"e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301…", "e\u0301…e\u0301"},
	} {
		if got := text.Truncate(tt.in, tt.width); got != tt.end {
			t.Errorf("Truncate(%q, %d) = %q, want %q", tt.in, tt.width, got, tt.end)
		}
		if got := text.TruncateMiddle(tt.in, tt.width); got != tt.middle {
			t.Errorf("TruncateMiddle(%q, %d) = %q, want %q", tt.in, tt.width, got, tt.middle)
		}
	}
}

func FuzzTruncate(f *testing.F) {
	f.Add("usr/lib/あ", 5)
	f.Fuzz(func(t *testing.T, s string, width int) {
		s = text.Printable(s)
		width = max(0, min(width, 200))
		for _, cut := range []string{text.Truncate(s, width), text.TruncateMiddle(s, width)} {
			if text.Width(cut) > width {
				t.Errorf("%q is wider than %d cells", cut, width)
			}
		}
		if w := text.Width(text.Pad(s, width)); w != width {
			t.Errorf("Pad(%q, %d) has %d cells", s, width, w)
		}
		if w := text.Width(text.PadLeft(s, width)); w != width {
			t.Errorf("PadLeft(%q, %d) has %d cells", s, width, w)
		}
	})
}

func TestSizes(t *testing.T) {
	for n, want := range map[int64]string{-1: "–", 0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_234_567: "1.2 MB", 90_404_322: "90 MB"} {
		if got := text.Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
	if got := text.Bytes(1234567); got != "1234567" {
		t.Errorf("Bytes = %q", got)
	}
	if got := text.Count(1234567); got != "1,234,567" {
		t.Errorf("Count = %q", got)
	}
	for _, tt := range []struct {
		part, whole int64
		want        string
	}{{1, 8, "12.5%"}, {0, 8, "0.0%"}, {1, 0, "–"}, {-1, 8, "–"}, {8, -1, "–"}} {
		if got := text.Percent(tt.part, tt.whole); got != tt.want {
			t.Errorf("Percent(%d, %d) = %q, want %q", tt.part, tt.whole, got, tt.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 8, []string{"one two", "three"}},
		{"one two three", 3, []string{"one", "two", "thr", "ee"}},
		{"a\n\nb", 5, []string{"a", "", "b"}},
		{"sha256:0123456789", 6, []string{"sha256", ":01234", "56789"}},
		{"日本語日本", 4, []string{"日本", "語日", "本"}},
		{"日本", 1, []string{"日", "本"}},
		{"abc", 0, []string{"a", "b", "c"}},
		{"    if x", 20, []string{"    if x"}},
	} {
		if diff := cmp.Diff(test.want, text.Wrap(test.text, test.width)); diff != "" {
			t.Errorf("Wrap(%q, %d) (-want +got):\n%s", test.text, test.width, diff)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("one two three", 5)
	f.Add("日本語 é̂ 👩‍👩‍👧 x", 3)
	f.Fuzz(func(t *testing.T, s string, width int) {
		s, width = text.Lines(s), 2+(width&63)
		var b strings.Builder
		for _, l := range text.Wrap(s, width) {
			if text.Width(l) > width && utf8.RuneCountInString(l) > 1 && strings.Contains(strings.TrimSpace(l), " ") {
				t.Errorf("%q takes more than %d cells", l, width)
			}
			b.WriteString(l)
		}
		drop := strings.NewReplacer(" ", "", "\n", "")
		if got, want := drop.Replace(b.String()), drop.Replace(s); got != want {
			t.Errorf("Wrap(%q, %d) lost something: %q", s, width, got)
		}
	})
}

func TestChange(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1: "+1 B", 3100: "+3.1 kB", -412_000_000: "−412 MB"} {
		if got := text.Change(n, text.Size); got != want {
			t.Errorf("Change(%d) = %q, want %q", n, got, want)
		}
	}
	if got := text.Change(-1500, text.Bytes); got != "−1500" {
		t.Errorf("in bytes: %q", got)
	}
}

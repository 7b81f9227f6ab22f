package packages

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestReadOSRelease(t *testing.T) {
	long := strings.Repeat("9", maxValue)
	for _, tt := range []struct {
		name, text string
		want       *Distribution
	}{
		{"Debian", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL=\"https://www.debian.org/\"\n",
			&Distribution{ID: "debian", Version: "12", Name: "Debian GNU/Linux 12 (bookworm)"}},
		{"Alpine", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.19.1\nPRETTY_NAME=\"Alpine Linux v3.19\"\n",
			&Distribution{ID: "alpine", Version: "3.19.1", Name: "Alpine Linux v3.19"}},
		{"rolling", "ID=arch", &Distribution{ID: "arch"}},
		{"no ID", "NAME=x\nVERSION_ID=1\n", nil},
		{"ID_LIKE is no ID", "ID_LIKE=debian\n", nil},
		{"nothing", "", nil},
		{"an ID that is none", "ID=\"a b\"\n", nil},
		{"upper case", "ID=Debian\n", &Distribution{ID: "debian"}},
		{"the last counts", "ID=a\nID=b\nVERSION_ID=1\nVERSION_ID=\n", &Distribution{ID: "b"}},
		{"comments", "#ID=x\n # ID=x\nID=a # b\nVERSION_ID=\"1\"# no comment\nPRETTY_NAME='p'\t# q\n", &Distribution{ID: "a", Name: "p"}},
		{"no comment without a blank", "ID=a\nVERSION_ID=1#2\n", &Distribution{ID: "a", Version: "1#2"}},
		{"double quotes", `ID=a` + "\n" + `PRETTY_NAME="a\"b\\c\$d\` + "`" + `e\nf'g"`, &Distribution{ID: "a", Name: "a\"b\\c$d`e\\nf'g"}},
		{"single quotes", `ID='a'` + "\n" + `PRETTY_NAME='a\b"c'`, &Distribution{ID: "a", Name: `a\b"c`}},
		{"no quotes", `ID=a` + "\n" + `PRETTY_NAME=a\ b\'c`, &Distribution{ID: "a", Name: `a b'c`}},
		{"quotes that don't end", "ID=a\nVERSION_ID=\"1\nPRETTY_NAME='\n", &Distribution{ID: "a"}},
		{"parts", "ID=a\nVERSION_ID=\"1\"2\nPRETTY_NAME=a\"b\"\n", &Distribution{ID: "a"}},
		{"two words", "ID=a\nVERSION_ID=1 2\n", &Distribution{ID: "a"}},
		{"a line that goes on", "ID=a\nVERSION_ID=1\\\n2\n", &Distribution{ID: "a"}},
		{"CRLF and blanks", "\r\n  ID=a\r\nVERSION_ID=\"1\" \r\n", &Distribution{ID: "a", Version: "1"}},
		{"no assignments", "ID\n=x\nexport ID=x\nID =x\n", nil},
		{"not UTF-8", "ID=a\nVERSION_ID=\"\xff\"\n", &Distribution{ID: "a"}},
		{"NUL", "ID=a\nVERSION_ID=1\x002\n", &Distribution{ID: "a"}},
		{"the longest", "ID=a\nVERSION_ID=" + long + "\n", &Distribution{ID: "a", Version: long}},
		{"too long", "ID=a\nVERSION_ID=" + long + "9\n", &Distribution{ID: "a"}},
	} {
		if diff := cmp.Diff(tt.want, readOSRelease([]byte(tt.text))); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
	}
}

// FuzzOSRelease reads anything as an os-release: its values stay within bounds,
// and written as the format has it they are read again.
func FuzzOSRelease(f *testing.F) {
	f.Add("ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='x y' # z\n")
	f.Add("ID=a\\ b\nID=\"\\$\\`\\\"\\\\\"")
	f.Add("ID=\x00\nPRETTY_NAME=\"\xff")
	quoter := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`")
	f.Fuzz(func(t *testing.T, text string) {
		d := readOSRelease([]byte(text))
		if d == nil {
			return
		}
		if !isDistributionID(d.ID) || d.Point != "" {
			t.Errorf("%+v", d)
		}
		for _, v := range []string{d.ID, d.Version, d.Name} {
			if len(v) > maxValue || !utf8.ValidString(v) || strings.ContainsAny(v, "\n\x00") {
				t.Errorf("%q is taken for a value", v)
			}
		}
		again := "ID=" + d.ID + "\nVERSION_ID=\"" + quoter.Replace(d.Version) + "\"\nPRETTY_NAME=\"" + quoter.Replace(d.Name) + "\"\n"
		if diff := cmp.Diff(d, readOSRelease([]byte(again))); diff != "" {
			t.Errorf("%q written as %q: -first +second\n%s", text, again, diff)
		}
	})
}

func TestReadDebianVersion(t *testing.T) {
	for text, want := range map[string]string{"12.5\n": "12.5", "trixie/sid\n": "", "": "", "kali-rolling": "", strings.Repeat("1", 1000): strings.Repeat("1", maxValue)} {
		if got := readDebianVersion([]byte(text)); got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

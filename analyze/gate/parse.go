package gate

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// OffWord is what turns a rule off where a limit may stand.
const OffWord = "off"

// fraction is a number that bytes without a unit can't be.
var fraction = regexp.MustCompile(`^[0-9]*\.[0-9]*$`)

// ParseSize reads a number of bytes: 1000, 500kB, 20 MiB.
func ParseSize(s string) (int64, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil || n > math.MaxInt64 || fraction.MatchString(s) {
		return 0, fmt.Errorf("%q isn't a size such as 500MB or 20GB", s)
	}
	return int64(n), nil
}

// ParseLimit reads a limit of a rule; nil for "off".
func ParseLimit(r Rule, s string) (*Number, error) {
	if s == OffWord {
		return nil, nil
	}
	n := Number{Unit: r.Unit()}
	var err error
	switch n.Unit {
	case Bytes:
		n.Whole, err = ParseSize(s)
	case Count:
		n.Whole, err = parseCount(s)
	case Percent:
		n.Part, err = parsePercent(s)
	case Share:
		n.Part, err = parseShare(s)
	}
	if err != nil {
		return nil, err
	}
	return &n, nil
}

func parseCount(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q isn't a number such as 0 or 20", s)
	}
	return n, nil
}

// decimal is a number without a sign or an exponent.
var decimal = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)?$`)

func parsePercent(s string) (float64, error) {
	num := strings.TrimSuffix(s, "%")
	p, err := strconv.ParseFloat(num, 64)
	if err != nil || !decimal.MatchString(num) || p > 100 {
		return 0, fmt.Errorf("%q isn't a percentage such as 5 or 2.5%%", s)
	}
	return p, nil
}

// parseShare reads 0.95 or 95%. The limit is the float nearest to what is
// written, as a quotient is to what it is, so that what is equal compares so.
func parseShare(s string) (float64, error) {
	num, percent := strings.CutSuffix(s, "%")
	exact := num
	if percent {
		exact += "e-2"
	}
	p, err := strconv.ParseFloat(exact, 64)
	if err != nil || !decimal.MatchString(num) || p > 1 {
		return 0, fmt.Errorf("%q isn't a share such as 0.95 or 95%%", s)
	}
	return p, nil
}

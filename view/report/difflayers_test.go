package report

import "testing"

// TestApart checks that what was edited isn't cut off on narrow lines.
func TestApart(t *testing.T) {
	narrow, wide := style{TextOptions{Width: 80}}, style{}
	for _, tt := range []struct {
		style              style
		a, b, wantA, wantB string
	}{
		{narrow, "RUN a", "RUN b", "RUN a", "RUN b"},
		{narrow, "RUN apt-get update && apt-get install -y --no-install-recommends curl make", "RUN apt-get update && apt-get install -y --no-install-recommends curl wget",
			"RUN … --no-install-recommends curl make", "RUN … --no-install-recommends curl wget"},
		{wide, "RUN apt-get update && apt-get install -y curl make", "RUN apt-get update && apt-get install -y curl wget",
			"RUN apt-get update && apt-get install -y curl make", "RUN apt-get update && apt-get install -y curl wget"},
		{narrow, "RUN apt-get update && apt-get install -y curl", "RUN apt-get update && apt-get install -y curl make",
			"RUN … install -y curl", "RUN … install -y curl make"},
		{style{TextOptions{Width: 80, ASCII: true}}, "RUN apt-get update && apt-get install -y curl make", "RUN apt-get update && apt-get install -y curl wget",
			"RUN ... install -y curl make", "RUN ... install -y curl wget"},
		{narrow, "COPY thisisonelongwordofmorethantwentycells /a", "COPY thisisonelongwordofmorethantwentycells /b",
			"COPY thisisonelongwordofmorethantwentycells /a", "COPY thisisonelongwordofmorethantwentycells /b"},
		{narrow, "", "RUN x", "", "RUN x"},
		{narrow, "RUN ééééééééééééééééééééé ééééééé ü", "RUN ééééééééééééééééééééé ééééééé ö", "RUN … ééééééé ü", "RUN … ééééééé ö"},
	} {
		if a, b := tt.style.apart(tt.a, tt.b); a != tt.wantA || b != tt.wantB {
			t.Errorf("%q and %q become %q and %q", tt.a, tt.b, a, b)
		}
	}
}

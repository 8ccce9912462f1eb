/// The report's style sheet: light and dark by the reader's setting, readable at any width and on paper.
enum ReportStyle {
    static let css = """
        :root{color-scheme:light dark;--paper:#f6f5f1;--card:#fff;--ink:#22261f;--muted:#5d6459;--line:#dcdbd2;--grid:#e9e8e1;
        --kept:#3d7a4e;--band:#3d7a4e26;--base:#5d6459;--accent:#2f6f9f;--good:#2c6e3f;--goodsoft:#e2efe2;--bad:#a33a2b;--badsoft:#f7e4df;
        --d0:#c9763a;--d1:#dcab4c;--d2:#a8879d;--d3:#9aa0a6;--s0:#2f6f9f;--s1:#c05f2b;--s2:#3d7a4e;--s3:#8a5a9e;--s4:#a07b1c;--s5:#5d6459}
        @media(prefers-color-scheme:dark){:root{--paper:#181a17;--card:#21241f;--ink:#e6e7e0;--muted:#a7ada0;--line:#3a3f37;--grid:#2e322b;
        --kept:#6bb07d;--band:#6bb07d2b;--base:#a7ada0;--accent:#7db8e4;--good:#8fd0a0;--goodsoft:#22382a;--bad:#f0998a;--badsoft:#42241f;
        --d0:#d98c54;--d1:#d9b061;--d2:#b899ae;--d3:#858b91;--s0:#7db8e4;--s1:#e58e5c;--s2:#7fc492;--s3:#c39bd6;--s4:#d6b457;--s5:#a7ada0}}
        *{box-sizing:border-box}html{scroll-behavior:smooth}
        body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
        header,main,footer{max-width:56rem;margin:0 auto;padding:0 1.25rem}
        header{padding-top:2.5rem}h1{font-size:1.9rem;line-height:1.2;margin:0 0 .25rem;text-wrap:balance}
        h2{font-size:1.25rem;margin:0 0 .75rem}h3{font-size:1rem;margin:1.5rem 0 .5rem}p{margin:.5rem 0;max-width:44rem}
        .muted,figcaption,footer{color:var(--muted)}.muted,figcaption,footer,td,th{font-size:.92rem}
        nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;padding:0;margin:1rem 0 1.5rem;font-size:.95rem}
        a{color:var(--accent);text-underline-offset:.2em}a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
        .skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem}
        section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.4rem 1.5rem;margin:0 0 1.25rem}
        section.verdict{border-left:.5rem solid var(--bad)}section.verdict.passed{border-left-color:var(--good)}
        .lead{font-size:1.15rem;font-weight:600;margin:0 0 .5rem}
        .criteria{list-style:none;padding:0;margin:1rem 0 0;display:grid;gap:.6rem}
        .criteria li{display:grid;grid-template-columns:7.5rem 1fr;gap:.75rem;align-items:start}
        .mark{font-weight:600;font-size:.88rem;border-radius:.4rem;padding:.1rem .5rem;background:var(--badsoft);color:var(--bad);text-align:center}
        .mark.passed{background:var(--goodsoft);color:var(--good)}
        figure{margin:1rem 0}.scroll{overflow-x:auto}
        .chart{display:block;width:100%;min-width:34rem;height:auto;font-family:inherit}
        .chart text{fill:var(--ink);font-size:13px}.chart .note,.chart .tick{fill:var(--muted);font-size:11.5px}.chart .value{font-size:12px;font-variant-numeric:tabular-nums}
        .grid{stroke:var(--grid)}.reference{stroke:var(--base);stroke-dasharray:4 4}
        .kept{fill:var(--kept)}.band{fill:var(--band)}.dropped.d0{fill:var(--d0)}.dropped.d1{fill:var(--d1)}.dropped.d2{fill:var(--d2)}.dropped.d3{fill:var(--d3)}
        .dot line{stroke:var(--accent);stroke-width:2}.dot circle{fill:var(--accent);stroke:var(--accent);stroke-width:2}
        .dot.base line,.dot.base circle{stroke:var(--base)}.dot.base circle{fill:var(--base)}.dot.minor circle{fill:var(--card)}.dot.minor line{opacity:.75}
        .bin{fill:var(--kept)}.bin.low{fill:var(--d0)}
        .line{fill:none;stroke-width:2;stroke-linejoin:round}.line.s0{stroke:var(--s0)}.line.s1{stroke:var(--s1);stroke-dasharray:7 3}.line.s2{stroke:var(--s2);stroke-dasharray:2 3}
        .line.s3{stroke:var(--s3);stroke-dasharray:10 3 2 3}.line.s4{stroke:var(--s4);stroke-dasharray:5 2}.line.s5{stroke:var(--s5);stroke-dasharray:1 2}
        .chart text.s0{fill:var(--s0)}.chart text.s1{fill:var(--s1)}.chart text.s2{fill:var(--s2)}.chart text.s3{fill:var(--s3)}.chart text.s4{fill:var(--s4)}.chart text.s5{fill:var(--s5)}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}caption{text-align:left;color:var(--muted);font-size:.92rem;padding-bottom:.4rem}
        th,td{text-align:right;padding:.4rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;white-space:nowrap}
        th:first-child,.text{text-align:left}thead th{white-space:normal;vertical-align:bottom}td.text{white-space:normal;min-width:14rem;overflow-wrap:anywhere}th[scope=row]{font-weight:600;overflow-wrap:anywhere}
        tr.base th,tr.base td{color:var(--muted)}tr.candidate{background:var(--goodsoft)}
        details{margin:.75rem 0}summary{cursor:pointer;color:var(--accent)}
        .sample{border:1px solid var(--line);border-radius:.6rem;padding:.9rem 1rem;margin:0 0 .9rem}
        .turns{list-style:none;margin:0 0 .75rem;padding:0;display:grid;gap:.35rem}.turns li{max-width:85%;padding:.35rem .7rem;border-radius:.7rem;background:var(--grid);white-space:pre-wrap;overflow-wrap:anywhere}
        .turns .bot{justify-self:start}.turns .human{justify-self:end}.who{display:block;font-size:.78rem;color:var(--muted)}
        .pair{display:grid;grid-template-columns:1fr 1fr;gap:.75rem}.pair>div{border-radius:.6rem;padding:.5rem .8rem;border:1px solid var(--line);white-space:pre-wrap;overflow-wrap:anywhere}
        .pair .after{border-color:var(--kept)}
        dl{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr;gap:.3rem 1rem;margin:0}dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
        footer{padding-bottom:2.5rem}
        @media(max-width:38rem){.pair{grid-template-columns:1fr}.criteria li{grid-template-columns:1fr}.mark{justify-self:start}section{padding:1.1rem 1rem}dl{grid-template-columns:1fr}}
        @media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
        @media print{body{background:#fff}section{break-inside:avoid-page}nav{display:none}}
        """
}

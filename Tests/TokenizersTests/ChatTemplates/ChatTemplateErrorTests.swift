import Foundation
import Testing
import Tokenizers

@Suite struct ChatTemplateErrorTests {
    private func fault(
        _ source: String, _ variables: TemplateObject = [:], limits: ChatTemplateLimits = .init()
    ) -> ChatTemplateError? {
        do {
            _ = try ChatTemplate(source: source, name: "t.jinja", limits: limits).render(variables: variables)
            return nil
        } catch { return error as? ChatTemplateError }
    }

    @Test(arguments: [
        ("a\n{% block x %}{% endblock %}", 2, "'block'"),
        ("{% include 'x' %}", 1, "'include'"),
        ("{% import 'x' as y %}", 1, "'import'"),
        ("\n\n{% for x in y recursive %}{% endfor %}", 3, "recursive"),
        ("{{ x | groupby('a') }}", 1, "'groupby'"),
        ("{{ 'a' }}\n{{ cycler(1, 2) }}", 2, "'cycler'"),
        ("{{ [1] | map('upper') }}", 1, "generator"),
        ("{{ range }}", 1, "function"),
        ("{{ 'é'.encode() }}", 1, "'encode'"),
        ("{{ x[1:2, 3] }}", 1, "slices"),
        ("{{ 9223372036854775807 + 1 }}", 1, "64 bits"),
        ("{{ 99999999999999999999 }}", 1, "64 bits"),
        ("{{ 9223372036854775807 | round(-1) }}", 1, "64 bits"),
        ("{{ 9223372036854775807 | round(-19) }}", 1, "64 bits"),
        ("{{ '\\ud83d' }}", 1, "surrogate"),
        ("{{ '\\N{DASH}' }}", 1, "\\N"),
        ("{{ ('<' | safe) + '<' }}", 1, "safe"),
        ("{{ 1 is sameas 1 }}", 1, "sameas"),
    ])
    func `what is not supported is named with its line`(_ source: String, _ line: Int, _ part: String) throws {
        let error = try #require(fault(source))
        #expect(error.code == .unsupported)
        #expect(error.line == line)
        #expect(error.message.contains(part))
        #expect(error.description.hasPrefix("t.jinja, line \(line): "))
    }

    @Test(arguments: [
        ("{% if x %}\n\na", 3, "endif"), ("{{ x", 1, "not closed"), ("{# x", 1, "#}"), ("a\n{{ x y }}", 2, "'y'"),
        ("{% foo %}", 1, "unknown tag"),
        ("{{ (1 }}", 1, "expected ')'"), ("{{ ) }}", 1, "unexpected ')'"), ("{{ 'a }}", 1, "not closed"),
        ("{% set 1 = 2 %}", 1, "name"),
        ("{% break %}", 1, "outside"), ("{{ x | nofilter }}", 1, "nofilter"), ("{{ x is notest }}", 1, "notest"),
        ("{{ }}", 1, "expression"),
        ("{% raw %}", 1, "endraw"), ("{{ 'a' ! }}", 1, "'!'"), ("{% for x in y %}{% endif %}", 1, "endif"),
        ("{{ '\\x1' }}", 1, "escape"),
        ("{% macro m(a=1, b) %}{% endmacro %}", 1, "default"), ("{% set true = 1 %}", 1, "'true'"),
        ("{{ f(a=1, 2) }}", 1, "positional"),
        ("{% for loop in x %}{% endfor %}", 1, "loop"),
        ("{% for i in x %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}", 1, "outside"),
    ])
    func `broken syntax is named with its line`(_ source: String, _ line: Int, _ part: String) throws {
        let error = try #require(fault(source))
        #expect(error.code == .syntax)
        #expect(error.line == line)
        #expect(error.message.contains(part), "\(error)")
    }

    @Test(arguments: [
        ("\n{{ x.y }}", 2, "'x' is undefined"), ("{{ d.x.y }}", 1, "'dict object' has no attribute 'x'"),
        ("{{ 1 + 'a' }}", 1, "unsupported operand"),
        ("{{ 1 / 0 }}", 1, "zero"), ("{% for i in 5 %}{% endfor %}", 1, "not iterable"),
        ("{{ d.update({}) }}", 1, "unsafe"), ("{{ ''.__class__ + 1 }}", 1, "unsafe"),
        ("{{ strftime_now('%d') }}", 1, "clock"), ("{{ x() }}", 1, "'x' is undefined"),
        ("{{ 'a'() }}", 1, "not callable"), ("{{ {[]: 1} }}", 1, "unhashable"),
        ("{% set ns = namespace(_a=1) %}", 1, "underscore"), ("{% set d.x = 1 %}", 1, "namespace"),
        ("{% macro m(a) %}{% endmacro %}\n{{ m(1, 2) }}", 2, "arguments"),
    ])
    func `wrong use of a value is named with its line`(_ source: String, _ line: Int, _ part: String) throws {
        let error = try #require(fault(source, ["d": [:]]))
        #expect(error.code == .runtime)
        #expect(error.line == line)
        #expect(error.message.contains(part), "\(error)")
    }

    @Test func `a template may refuse`() throws {
        let error = try #require(fault("{% if true %}\n{{ raise_exception('no ' ~ 1) }}{% endif %}"))
        #expect(error.code == .raised)
        #expect(error.message == "no 1")
        #expect(error.line == 2)
    }

    @Test(arguments: [
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% for i in range(100001) %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{{ 'x' * 99999999999 }}", "{{ [1] * 99999999999 }}", "{{ 'x' | center(99999999999) }}",
        "{{ '%99999999999d' % 1 }}",
        "{{ '{:99999999999}'.format(1) }}", "{{ ('a' * 9999).replace('', 'b' * 9999) }}",
        "{{ 'a' | indent(99999999999, true) }}",
        "{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", "{{ [1] | tojson(indent=99999999) }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x | tojson }}",
        "{{ [1] | batch(99999999999, 0) | list }}", "{{ '%.99999999f' % 1 }}", "{{ range(9223372036854775807) }}",
        "{{ ['a' * 1000000] * 1000000 }}", "{{ (['a' * 1000000] * 1000000) | tojson }}",
        "{{ ','.join(['a' * 1000000] * 1000000) }}", "{{ [1] | tojson(indent='a' * 99999) }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(20) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
            + "{% for i in range(30) %}{% if n.x == n.x %}{% endif %}{% endfor %}",
        // Slices that double a step, a text in more pieces than a list has, a key that holds itself many times over.
        "{% set n = namespace(r=range(0, 1, 1099511627776)) %}{% for i in range(99) %}"
            + "{% set n.r = n.r[::2] %}{% endfor %}",
        "{{ ('a' * 1000001) | list | length }}", "{{ ('a\n' * 1000001) | indent | length }}",
        "{% set n = namespace(t=(1, 1)) %}{% for i in range(12) %}{% set n.t = (n.t, n.t) %}{% endfor %}"
            + "{{ n.t in {} }}",
    ])
    func `what runs away is stopped`(_ source: String) throws {
        #expect(fault(source)?.code == .limit)
    }

    @Test(arguments: [
        "t | trim", "t is upper", "t | replace('a', '')", "l | sum", "l.count(2)", "{}[l]", "'{}'.format(*l)",
    ])
    func `work that gives little counts too`(_ expression: String) throws {
        var limits = ChatTemplateLimits()
        limits.steps = 100_000
        let source =
            "{% set t = 'a' * 50000 %}{% set l = [1] * 50000 %}{% for i in range(100) %}{% set x = " + expression
            + " %}{% endfor %}"
        #expect(fault(source, limits: limits)?.code == .limit)
    }

    @Test(arguments: [
        ("9223372036854775806 is divisibleby(9223372036854775807)", "False"),
        ("(-9223372036854775807 - 1) is divisibleby(-1)", "True"), ("(-7) is odd", "True"),
        ("7 is divisibleby(-7)", "True"), ("15 | round(-1)", "20"), ("1 | round(-19)", "0"),
        ("9000000000000000000 | round(-18)", "9000000000000000000"), ("'aaa'.rsplit('aa')", "['a', '']"),
    ])
    func `large numbers and splits from the end are as Python has them`(_ source: String, _ text: String) throws {
        let prompt = try ChatTemplate(source: "{{ " + source + " }}", name: "t.jinja").render(variables: [:])
        #expect(prompt.text == text)
    }

    /// Looked for at every place anew, the first would take two hundred thousand million steps.
    @Test(.timeLimit(.minutes(1))) func `long texts are found in time that goes by their length`() throws {
        func text(_ source: String) throws -> String {
            try ChatTemplate(source: source, name: "t.jinja").render(variables: [:]).text
        }
        let long = "{% set text = 'a' * 1000000 %}{% set part = 'a' * 500000 ~ 'b' %}"
        let ends = try text(long + "{{ part in text }} {{ (text ~ 'b').find(part) }} {{ text.rfind(part) }}")
        #expect(ends == "False 500000 -1")
        let mixed = "{% set text = 'ab' * 50 ~ 'c' ~ 'ab' * 50 ~ 'd' %}{% set part = 'ab' * 20 %}"
        let found = try text(
            mixed
                + "{{ text.find(part) }} {{ text.rfind(part) }} {{ text.find(part ~ 'c') }} {{ text.rfind(part ~ 'd') }} "
                + "{{ text.count(part) }} {{ text.split(part) }} {{ text.rsplit(part, 1) | length }} "
                + "{{ text.replace(part, '-') | length }}")
        let rest = String(repeating: "ab", count: 10)
        #expect(found == "0 161 60 161 4 ['', '', '\(rest)c', '', '\(rest)d'] 2 46")
    }

    @Test func `deep templates are refused before they overflow the stack`() throws {
        for (open, close) in [
            ("(", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("{1: ", "}"), ("'a' ~ (", ")"), ("x if x else ", ""),
        ] {
            let source =
                "{{ " + String(repeating: open, count: 5_000) + "1" + String(repeating: close, count: 5_000) + " }}"
            #expect(fault(source)?.code == .limit, "\(open)")
        }
        let ifs = String(repeating: "{% if 1 %}", count: 5_000) + String(repeating: "{% endif %}", count: 5_000)
        #expect(fault(ifs)?.code == .limit)
        // Chains are as deep as they are long.
        for (first, link) in [
            ("1", " + 1"), ("'a'", " | upper"), ("a", ".b"), ("1", " and 1"), ("a", "()"), ("1", " if 1"), ("a", "[0]"),
        ] {
            let chain = { (length: Int) in "{{ " + first + String(repeating: link, count: length) + " }}" }
            #expect(fault(chain(50_000))?.code == .limit, "\(link)")
            #expect(fault(chain(55))?.code != .limit, "\(link)")
        }
        #expect(fault("{{ 'a'" + String(repeating: " ~ 'a'", count: 50_000) + " }}") == nil)
        #expect(fault("{% if 0 %}" + String(repeating: "{% elif 0 %}", count: 20_000) + "{% endif %}") == nil)
    }

    /// Threads of libdispatch have half a megabyte on some systems; a part of it must be left.
    @Test func `the deepest that is allowed runs on a small stack`() throws {
        let nested = String(repeating: "(1 + ", count: 25) + "m(n - 1)" + String(repeating: ")", count: 25)
        let source = "{% macro m(n) %}{% if n > 0 %}{{ " + nested + " | string }}{% endif %}{% endmacro %}{{ m(5000) }}"
        let deep = "{{ " + String(repeating: "[", count: 30) + "1" + String(repeating: "]", count: 30) + " }}"
        let chain = "{{ 1" + String(repeating: " + 1", count: 58) + " }}"
        let codes = Codes()
        let thread = Thread {
            codes.list = [fault(source)?.code, fault(deep)?.code, fault(chain)?.code]
            codes.done.signal()
        }
        thread.stackSize = 400 << 10
        thread.start()
        codes.done.wait()
        #expect(codes.list == [.limit, nil, nil])
    }

    private final class Codes: @unchecked Sendable {
        var list: [ChatTemplateError.Code?] = []
        let done = DispatchSemaphore(value: 0)
    }

    @Test func `sizes are capped as they are set`() throws {
        var limits = ChatTemplateLimits()
        limits.sourceBytes = 10
        #expect(fault("{{ 'abcdefgh' }}", limits: limits)?.code == .limit)
        limits = ChatTemplateLimits()
        limits.textLength = 4
        #expect(fault("{{ 'abcd' }}", limits: limits) == nil)
        #expect(fault("{{ 'abcd' }}e", limits: limits)?.code == .limit)
        limits = ChatTemplateLimits()
        limits.steps = 100
        #expect(fault("{% for i in range(99) %}{% endfor %}", limits: limits)?.code == .limit)
        let error = #expect(throws: ChatTemplateError.self) { try ChatTemplate(source: "").render(messages: ["no"]) }
        #expect(error?.message.contains("messages[0]") == true)
    }

    @Test func `the clock that is passed in is told as strftime tells it`() throws {
        let clock = TemplateClock(
            now: Date(timeIntervalSince1970: 951_782_399), timeZone: try #require(TimeZone(secondsFromGMT: 3600)))
        let format = "%Y-%m-%d %H:%M:%S|%d %b %Y|%-d %B|%A %a|%I %p|%j|%y|%e|%F %T|%%"
        let prompt = try ChatTemplate(source: "{{ strftime_now(x) }}").render(
            variables: ["x": .string(format)], clock: clock)
        #expect(
            prompt.text
                == "2000-02-29 00:59:59|29 Feb 2000|29 February|Tuesday Tue|12 AM|060|00|29|2000-02-29 00:59:59|%")
        let old = TemplateClock(now: Date(timeIntervalSince1970: -1))
        #expect(
            try ChatTemplate(source: "{{ strftime_now('%F %T') }}").render(variables: [:], clock: old).text
                == "1969-12-31 23:59:59")
    }
}

import Conversations
import Foundation
import Hummingbird
import HummingbirdTesting
import Storage
import Testing

@testable import Server

@Suite("Server: the operator's and the raters' pages in a real browser", .serialized)
struct OfficeBrowserTests {
    private static let missing: Comment =
        "skipped: needs a headless Chromium; install it with: apt-get install -y chromium chromium-driver"

    /// What somebody could type to take over the page of whoever reads it.
    private static let payloads = [
        "<script>window.hacked = 1</script>", "<img src=x onerror=\"window.hacked = 1\">",
        "<svg><animate onbegin=\"window.hacked = 1\" attributeName=x></svg>",
        "\"><iframe srcdoc=\"<script>parent.hacked=1</script>\">",
        "javascript:window.hacked=1", "</textarea><script>window.hacked=1</script>",
        "{{constructor.constructor('window.hacked=1')()}}",
    ]

    private func fill(_ bench: OfficeBench) async throws {
        let reasons: [DislikeReason] = [.offTopic, .nonsensical, .repeating, .inappropriate, .other]
        let start = bench.clock.now
        for number in 0..<40 {
            bench.clock.advance(9_000)
            let model = number % 2 == 0 ? "loam-20231101" : "loam-20231110"
            let rating: Rating? = number % 3 == 0 ? .dislike : number % 3 == 1 ? .like : nil
            let date = bench.clock.now
            var messages: [Message] = []
            for (turn, words) in [
                ("Hello, I'm Margaret Holloway. What do you like?", "I like walking by the river, and you?"),
                ("Mostly my garden.", "What do you grow there?"),
            ].enumerated() {
                var said = Message(id: "c\(number).q\(turn)", sender: .human, text: words.0, sentAt: date)
                if number % 9 == 4, turn == 1 {
                    said.text = Self.payloads[number % Self.payloads.count]
                    said.safety = [
                        SafetyDecision(
                            layer: number % 2 == 0 ? "classifier" : "words", isUnsafe: true, category: "insult",
                            score: 0.93)
                    ]
                }
                var reply = Message(
                    id: "c\(number).a\(turn)", sender: .bot, text: words.1, sentAt: date + 4,
                    generation: GenerationRecord(model: model))
                if turn == 1, let rating {
                    reply.feedback = [
                        Feedback(
                            userID: "web-\(number % 11)", rating: rating,
                            reasons: rating == .dislike ? [reasons[number % 5]] : [],
                            comment: rating == .dislike ? Self.payloads[number % Self.payloads.count] : nil,
                            correction: number % 6 == 0 ? "I grow " + Self.payloads[1] : nil, givenAt: date + 60)
                    ]
                }
                messages += [said, reply]
            }
            try await bench.store.save(
                Conversation(id: "c\(number)", userID: "web-\(number % 11)", messages: messages, startedAt: date))
        }
        #expect(bench.clock.now > start)
    }

    /// Every control has a name, no text is too faint for what it stands on, and nothing sticks out to the side.
    private func check(_ web: WebDriver, _ place: String) async throws {
        let faults = try await web.value(
            """
            const faults = [];
            const visible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
            for (const control of document.querySelectorAll('button, input, textarea, select, a[href], summary')) {
              if (!visible(control)) continue;
              const name = (control.innerText || '').trim() || control.getAttribute('aria-label') || [...(control.labels ?? [])].map((label) => label.innerText.trim()).join('');
              if (!name) faults.push('no name: ' + control.outerHTML.slice(0, 90));
            }
            const numbers = (text) => {
              const parts = text.match(/-?[\\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
              return text.startsWith('color(') ? [parts[0] * 255, parts[1] * 255, parts[2] * 255, parts[3] ?? 1] : [parts[0], parts[1], parts[2], parts[3] ?? 1];
            };
            const light = ([r, g, b]) => {
              const one = (value) => { const c = value / 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
              return 0.2126 * one(r) + 0.7152 * one(g) + 0.0722 * one(b);
            };
            const ground = (element) => {
              const layers = [];
              for (let at = element; at; at = at.parentElement) {
                const colour = numbers(getComputedStyle(at).backgroundColor);
                if (colour[3] > 0) layers.push(colour);
                if (colour[3] === 1) break;
              }
              return layers.reverse().reduce((under, over) => [0, 1, 2].map((i) => over[i] * over[3] + under[i] * (1 - over[3])), [255, 255, 255]);
            };
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            const seen = new Set();
            while (walker.nextNode()) {
              const element = walker.currentNode.parentElement;
              if (!walker.currentNode.textContent.trim() || seen.has(element) || !visible(element) || element.closest('svg, .visually-hidden, .skip, :disabled, noscript')) continue;
              seen.add(element);
              const [a, b] = [light(numbers(getComputedStyle(element).color)), light(ground(element))];
              const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
              if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(2)}: ${element.tagName} ${element.className} ${element.textContent.slice(0, 30)}`);
            }
            for (const chart of document.querySelectorAll('svg[role=img]')) if (!chart.getAttribute('aria-label')) faults.push('a chart without words');
            if (document.documentElement.scrollWidth > innerWidth) faults.push(`too wide: ${document.documentElement.scrollWidth} > ${innerWidth}`);
            const levels = [...document.querySelectorAll('h1, h2, h3')].filter(visible).map((head) => Number(head.tagName[1]));
            if (levels.some((level, place) => level > (levels[place - 1] ?? 0) + 1)) faults.push('headings: ' + levels);
            return faults.slice(0, 8).join('\\n');
            """)
        #expect(faults == .string(""), "\(place): \(faults)")
        #expect(try await web.value("return window.hacked ?? null") == .null, "\(place)")
    }

    private func signIn(_ web: WebDriver, _ name: String) async throws {
        try await web.wait(until: "!document.querySelector('#signIn').hidden")
        try await web.type(name, into: "#name")
        try await web.type(OfficeBench.password + "\u{E007}", into: "#password")
        try await web.wait(until: "!document.querySelector('#desk').hidden")
    }

    /// Looks at a place in light, in dark, and on a phone.
    private func pictures(_ web: WebDriver, _ name: String) async throws {
        try await check(web, name)
        try await web.screenshot(name)
        try await web.prefer(scheme: "dark")
        try await web.resize(width: 360, height: 780)
        try await check(web, name + ", dark, 360 px")
        try await web.screenshot(name + "-dark-phone")
        try await web.prefer(scheme: "light")
        try await web.resize(width: 1180, height: 900)
    }

    private func go(_ web: WebDriver, _ hash: String, _ title: String) async throws {
        _ = try await web.value("location.hash = '\(hash)'")
        try await web.wait(until: "document.querySelector('#viewTitle')?.innerText === '\(title)'")
    }

    @Test(
        "operator: signs in, looks over, reads, gives a reason, runs a round, promotes, rolls back, signs out",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(3)))
    func operatorWalk() async throws {
        let runs = try RunsBench()
        let bench = try await OfficeBench(models: ShelfInMemory(), runner: runs.runner)
        try await fill(bench)
        try await bench.server.application(port: 0).test(.live) { client in
            let address = "http://localhost:\(try #require(client.port))"
            try await WebDriver.run { web in
                try await web.resize(width: 1180, height: 900)
                try await web.open(address + "/admin")
                try await web.wait(until: "!document.querySelector('#signIn').hidden")
                #expect(try await web.value("return document.activeElement.id") == .string("name"))
                try await pictures(web, "admin-sign-in")
                try await web.type("ann", into: "#name")
                try await web.type("wrong password\u{E007}", into: "#password")
                try await web.wait(until: "!document.querySelector('#signInError').hidden")
                #expect(try await web.text("#signInError") == "Name or password is wrong.")
                try await web.type("\u{E009}a\u{E000}" + OfficeBench.password + "\u{E007}", into: "#password")
                try await web.wait(until: "document.querySelector('.tile')")
                #expect(try await web.text("#who") == "ann")
                #expect(try await web.value("return document.cookie") == .string(""))

                try await go(web, "overview?days=30", "Overview")
                try await web.wait(until: "document.querySelectorAll('.chart').length === 2")
                #expect(try await web.text(".tiles").contains("13\nthumbs up"))
                try await pictures(web, "admin-overview")
                try await web.click(".numbers summary")
                try await web.wait(until: "document.querySelector('.numbers').open")

                // Filters, and the next page.
                try await go(web, "conversations", "Conversations")
                try await web.wait(until: "document.querySelectorAll('.entry').length === 25")
                #expect(try await web.value("return document.body.innerText.includes('Holloway')") == .bool(false))
                try await pictures(web, "admin-conversations")
                try await web.click("#more")
                try await web.wait(until: "document.querySelectorAll('.entry').length === 40")
                _ = try await web.value("scrollTo(0, 0)")
                try await web.click("input[name=disliked]")
                try await web.type("garden\u{E007}", into: "#text")
                try await web.wait(
                    until:
                        "document.querySelectorAll('.entry').length === 14"
                )
                #expect(
                    try await web.value("return location.hash") == .string("#conversations?text=garden&disliked=true"))

                // One conversation with hostile words, then as it was said.
                _ = try await web.value("location.hash = 'conversation/c22'")
                try await web.wait(until: "document.querySelector('#talk')")
                try await pictures(web, "admin-conversation")
                #expect(try await web.value("return document.body.innerText.includes('Holloway')") == .bool(false))
                #expect(
                    try await web.value(
                        "return document.querySelectorAll('#talk img, #talk script, #talk iframe, #talk b').length")
                        == .number(0))
                try await web.click("#raw")
                try await web.wait(until: "document.activeElement.id === 'ask-reason'")
                try await web.type("x", into: "#ask-reason")
                try await web.click("#askYes")
                try await web.wait(until: "!document.querySelector('dialog .alert').hidden")
                try await check(web, "reason dialog")
                try await web.screenshot("admin-reason")
                try await web.type(" complaint of 3 May", into: "#ask-reason")
                // Where the server refuses, the dialog says so and keeps what was typed.
                _ = try await web.value(
                    """
                    const real = window.fetch;
                    window.fetch = async () => {
                      window.fetch = real;
                      return new Response('{"error":{"message":"Not now."}}', { status: 503 });
                    };
                    """)
                try await web.click("#askYes")
                try await web.wait(until: "document.querySelector('dialog .alert')?.innerText === 'Not now.'")
                #expect(
                    try await web.value("return document.querySelector('#ask-reason').value")
                        == .string("x complaint of 3 May"))
                try await web.wait(until: "document.activeElement.id === 'ask-reason'")
                try await web.click("#askYes")
                try await web.wait(until: "document.querySelector('#rawNote')")
                #expect(
                    try await web.value("return document.body.innerText.includes('Margaret Holloway')") == .bool(true))
                try await check(web, "raw")
                for id in ["c0", "c3", "c4", "c6", "c13", "c31"] {
                    _ = try await web.value("location.hash = 'conversation/\(id)'")
                    try await web.wait(until: "document.querySelector('.chips')?.innerText.includes('\(id)')")
                    #expect(
                        try await web.value(
                            "return document.querySelectorAll('#talk img, #talk script, #talk iframe').length")
                            == .number(0))
                }
                #expect(try await web.value("return window.hacked ?? null") == .null)

                // A round, live, then stopped by nobody and finished.
                try await go(web, "rounds", "Rounds")
                try await web.wait(until: "document.querySelector('#start')")
                _ = try await web.value("document.querySelector('#runName').value = 'first'")
                // A double click begins it once.
                _ = try await web.value(
                    """
                    window.begun = 0;
                    const real = window.fetch;
                    window.fetch = (path, options) => {
                      if (options?.method === 'POST') window.begun += 1;
                      return real(path, options);
                    };
                    document.querySelector('#startForm').requestSubmit();
                    document.querySelector('#startForm').requestSubmit();
                    """)
                try await web.wait(until: "document.querySelector('.run[data-state=running] .steps li')")
                #expect(try await web.value("return window.begun") == .number(1))
                try await web.wait(until: "document.querySelector('.log-lines').innerText.includes('[2/2] report')")
                try await pictures(web, "admin-round-running")
                try runs.go("first")
                try await web.wait(until: "document.querySelector('.run[data-state=finished] .report')")
                try await check(web, "finished round")
                try await web.screenshot("admin-round-finished")
                // The report may not run anything.
                try await web.open(address + "/api/admin/runs/first/report")
                #expect(try await web.text("p") == "better")
                #expect(try await web.value("return window.hacked ?? null") == .null)
                try await web.open(address + "/admin#trust")
                try await web.wait(until: "document.querySelector('#viewTitle')?.innerText === 'Trust'")
                try await pictures(web, "admin-trust")

                // Promoting asks for the id and a reason; rolling back for a reason.
                try await go(web, "models", "Models")
                try await web.wait(until: "document.querySelector('[data-model=better]')")
                try await pictures(web, "admin-models")
                try await web.click("[data-model=better]")
                try await web.type("bet", into: "#ask-confirm")
                try await web.type("won by far", into: "#ask-reason")
                try await web.click("#askYes")
                try await web.wait(until: "!document.querySelector('dialog .alert').hidden")
                try await web.screenshot("admin-promote")
                try await web.type("ter", into: "#ask-confirm")
                try await web.click("#askYes")
                try await web.wait(until: "document.querySelector('#serving')?.innerText === 'better'")
                try await web.click("#rollback")
                try await web.type("people complain", into: "#ask-reason")
                try await web.click("#askYes")
                try await web.wait(until: "document.querySelector('#serving')?.innerText === 'base'")

                try await go(web, "raters", "Raters")
                try await pictures(web, "admin-raters")
                try await go(web, "audit", "Audit log")
                try await web.wait(until: "document.querySelectorAll('tbody tr').length === 4")
                #expect(try await web.text("tbody").contains("people complain"))
                try await pictures(web, "admin-audit")

                // By keyboard: past the head, or through it.
                try await web.reload()
                try await web.wait(until: "document.querySelector('#viewTitle')")
                _ = try await web.value("document.querySelector('.skip').focus()")
                for stop in ["Overview", "Conversations"] {
                    try await web.press("\u{E004}")
                    #expect(try await web.value("return document.activeElement.innerText") == .string(stop))
                }
                _ = try await web.value("document.querySelector('.skip').focus()")
                try await web.press("\u{E007}")
                #expect(try await web.value("return document.activeElement.id") == .string("desk"))
                #expect(try await web.value("return location.hash") == .string("#audit"))
                #expect(try await web.text("#viewTitle") == "Audit log")
                try await web.click("#signOut")
                try await web.wait(until: "!document.querySelector('#signIn').hidden")
                #expect(try await web.value("return document.querySelector('#desk').hidden") == .bool(true))
            }
            let log = try await bench.store.accesses(since: nil)
            #expect(log.map(\.action) == ["show", "improve", "promote", "roll_back"])
        }
    }

    @Test(
        "what the first thousand conversations do not have is found further back, and shown",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func furtherBack() async throws {
        let bench = try await OfficeBench()
        func talk(_ number: Int, _ model: String) -> Conversation {
            let date = bench.clock.now
            return Conversation(
                id: "c\(number)", userID: "web-1",
                messages: [
                    Message(id: "c\(number).q", sender: .human, text: "Hello.", sentAt: date),
                    Message(
                        id: "c\(number).a", sender: .bot, text: "Good day.", sentAt: date,
                        generation: GenerationRecord(model: model)),
                ], startedAt: date)
        }
        try await bench.store.save(talk(0, "loam-old"))
        bench.clock.advance(60)
        try await bench.store.save((1...OfficeReading.patience).map { talk($0, "loam-new") })
        try await bench.server.application(port: 0).test(.live) { client in
            let address = "http://localhost:\(try #require(client.port))"
            try await WebDriver.run { web in
                try await web.open(address + "/admin#conversations?model=loam-old")
                try await signIn(web, "ann")
                try await web.wait(until: "document.querySelector('.empty')?.checkVisibility()")
                #expect(try await web.text(".empty").contains("further back"))
                try await web.click("#more")
                try await web.wait(until: "document.querySelector('.entry')?.checkVisibility()")
                #expect(try await web.count(".entry") == 1)
                #expect(try await web.holds("!document.querySelector('.empty').checkVisibility()"))
            }
        }
    }

    @Test(
        "rater: introduction, categories and pairs by keyboard, going back, nothing left, hostile words are text",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(3)))
    func raterWalk() async throws {
        let bench = try await OfficeBench()
        try await fill(bench)
        try await bench.server.application(port: 0).test(.live) { client in
            let address = "http://localhost:\(try #require(client.port))"
            try await WebDriver.run { web in
                try await web.resize(width: 1180, height: 900)
                try await web.open(address + "/rate")
                try await web.wait(until: "!document.querySelector('#signIn').hidden")
                try await pictures(web, "rate-sign-in")
                try await signIn(web, "rae")
                try await web.wait(until: "document.querySelector('#asked')")
                try await pictures(web, "rate-introduction")
                let right = ["1", "4", "6", "2", "5", "3"]
                for (number, key) in right.enumerated() {
                    try await web.wait(
                        until:
                            "document.querySelector('.meter')?.innerText.includes('\(number + 1) of 6') && !document.querySelector('.verdict')"
                    )
                    // The second one goes wrong.
                    try await web.press(number == 1 ? "1" : key)
                    try await web.wait(until: "document.querySelector('.verdict')")
                    let isWrong = try await web.value(
                        "return document.querySelector('.verdict').classList.contains('wrong')")
                    #expect(isWrong == .bool(number == 1), "\(number)")
                    if number == 1 { try await pictures(web, "rate-verdict") }
                    #expect(try await web.value("return document.activeElement.id") == .string("go"))
                    try await web.press("\u{E007}")
                }
                try await web.wait(until: "document.querySelector('.meter')?.innerText.includes('0 done')")
                #expect(try await web.value("return document.body.innerText.includes('Holloway')") == .bool(false))
                #expect(try await web.value("return document.body.innerText.includes('loam-2023')") == .bool(false))
                try await pictures(web, "rate-category")
                // A key that is held down answers nothing.
                _ = try await web.value(
                    "document.dispatchEvent(new KeyboardEvent('keydown', { key: '1', repeat: true, bubbles: true }))")
                try await web.type("so so", into: "#comment")
                try await web.click("[data-answer=good]")
                try await web.wait(until: "document.querySelector('.meter')?.innerText.includes('1 done')")
                // Back to the last one with what was remarked, and another answer.
                try await web.press("b")
                try await web.wait(until: "document.querySelector('#item') && !document.querySelector('#back')")
                #expect(try await web.value("return document.querySelector('#comment').value") == .string("so so"))
                try await web.press("7")
                try await web.wait(until: "document.querySelector('#back')")
                let words = try await bench.store.annotations(label: "other").filter { $0.value == 1 }
                #expect(words.count == 1 && words.first?.rater == "rae")
                // A key that is typed into the remark is no answer.
                try await web.type("7 out of 10", into: "#comment")
                #expect(
                    try await web.value("return document.querySelector('#comment').value") == .string("7 out of 10"))
                try await web.click("[data-answer=good]")
                try await web.wait(until: "document.querySelector('.meter')?.innerText.includes('2 done')")
                #expect(try await bench.store.annotations(label: "good").contains { $0.comment == "7 out of 10" })
                try await web.press("s")
                for _ in 0..<12 {
                    let before = try await web.text("#item")
                    try await web.press("2")
                    try await web.wait(
                        until:
                            "document.querySelector('#item')?.innerText !== \(quoted(before)) || document.querySelector('.meter').innerText.includes('done')"
                    )
                    try await check(web, "rating")
                }

                _ = try await web.value("location.hash = 'pairs'")
                try await web.wait(until: "document.querySelector('.sides')")
                try await pictures(web, "rate-pair-introduction")
                for number in 0..<3 {
                    try await web.wait(
                        until:
                            "document.querySelector('.meter')?.innerText.includes('\(number + 1) of 3') && !document.querySelector('.verdict')"
                    )
                    let good = ["beach", "spicy", "candles"][number]
                    let isLeft =
                        try await web.value(
                            "return document.querySelector('.sides .card').innerText.includes('\(good)')")
                        == .bool(true)
                    try await web.press(isLeft ? "\u{E012}" : "\u{E014}")
                    try await web.wait(until: "document.querySelector('.verdict:not(.wrong)')")
                    try await web.click("#go")
                }
                try await web.wait(until: "document.querySelector('.meter')?.innerText.includes('0 done')")
                try await pictures(web, "rate-pair")
                try await web.press("\u{E014}")
                try await web.wait(until: "document.querySelector('.meter')?.innerText.includes('1 done')")
                try await web.press("n")
                try await web.wait(until: "document.querySelector('.meter')?.innerText.includes('2 done')")
                let votes = try await bench.store.pairVotes()
                #expect(
                    Set(votes.map(\.choice)) == [.second, .tie] && votes.count == 2
                        && votes.allSatisfy { $0.rater == "rae" })

                // An operator's page is not for raters.
                try await web.open(address + "/admin")
                try await web.wait(until: "!document.querySelector('#signInError').hidden")
                #expect(try await web.text("#signInError").contains("signed in here as rater"))
                try await check(web, "wrong role")
            }
        }
    }

    @Test(
        "rater: a remark outlives the session that ended in the middle of an item",
        .enabled(if: WebDriver.isInstalled, missing), .timeLimit(.minutes(2)))
    func remarkIsKept() async throws {
        let bench = try await OfficeBench()
        try await fill(bench)
        try await bench.server.application(port: 0).test(.live) { client in
            let address = "http://localhost:\(try #require(client.port))"
            try await WebDriver.run { web in
                try await web.open(address + "/rate")
                try await signIn(web, "rae")
                try await web.wait(until: "document.querySelector('#comment')")
                try await web.type("so so", into: "#comment")
                bench.clock.advance(13 * 3600)
                try await web.click("[data-answer=good]")
                try await web.wait(until: "!document.querySelector('#signIn').hidden")
                _ = try await web.value("document.querySelector('#name').value = ''")
                try await signIn(web, "rae")
                try await web.wait(until: "document.querySelector('#comment')?.value === 'so so'")
                // Once it is sent, it is no longer there for what comes next.
                try await web.click("[data-answer=good]")
                try await web.wait(until: "document.querySelector('.verdict')")
                try await web.click("#go")
                try await web.wait(until: "document.querySelector('#comment')?.value === ''")
            }
        }
    }

    private func quoted(_ text: String) -> String {
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "''"
    }
}

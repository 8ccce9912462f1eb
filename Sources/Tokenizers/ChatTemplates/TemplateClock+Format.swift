import Foundation

extension TemplateClock {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// The moment as C's `strftime` writes it in the C locale.
    func formatted(_ format: String) throws -> String {
        let seconds = Int(now.timeIntervalSince1970.rounded(.down)) + timeZone.secondsFromGMT(for: now)
        let day = seconds >= 0 ? seconds / 86_400 : -((86_399 - seconds) / 86_400)
        let second = seconds - day * 86_400
        let (hour, minute) = (second / 3600, second / 60 % 60)
        let date = Self.date(day)
        let weekday = ((day + 4) % 7 + 7) % 7
        let month = Self.months[date.month - 1]
        let dayOfYear = day - Self.day(date.year, 1, 1) + 1
        func padded(_ number: Int, _ width: Int = 2, with pad: String = "0") -> String {
            let digits = String(number)
            return String(repeating: pad, count: max(0, width - digits.count)) + digits
        }
        var result = ""
        var rest = format.makeIterator()
        while let character = rest.next() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            var directive = rest.next()
            var plain = false
            if directive == "-" {
                plain = true
                directive = rest.next()
            }
            func number(_ value: Int, _ width: Int = 2) -> String { plain ? String(value) : padded(value, width) }
            switch directive {
            case "Y": result += String(date.year)
            case "y": result += number(((date.year % 100) + 100) % 100)
            case "m": result += number(date.month)
            case "d": result += number(date.day)
            case "e": result += plain ? String(date.day) : padded(date.day, with: " ")
            case "B": result += month
            case "b", "h": result += month.prefix(3)
            case "A": result += Self.days[weekday]
            case "a": result += Self.days[weekday].prefix(3)
            case "H": result += number(hour)
            case "I": result += number((hour + 11) % 12 + 1)
            case "M": result += number(minute)
            case "S": result += number(second % 60)
            case "p": result += hour < 12 ? "AM" : "PM"
            case "j": result += number(dayOfYear, 3)
            case "w": result += String(weekday)
            case "u": result += String(weekday == 0 ? 7 : weekday)
            case "F": result += "\(date.year)-\(padded(date.month))-\(padded(date.day))"
            case "D": result += "\(padded(date.month))/\(padded(date.day))/\(padded(date.year % 100))"
            case "T": result += "\(padded(hour)):\(padded(minute)):\(padded(second % 60))"
            case "R": result += "\(padded(hour)):\(padded(minute))"
            // The clock that transformers asks knows no zone.
            case "Z", "z": break
            case "%": result += "%"
            case "n": result += "\n"
            case "t": result += "\t"
            default: throw TemplateFault.unsupported("strftime_now's %\(directive.map(String.init) ?? "")")
            }
        }
        return result
    }

    /// Days since 1 January 1970 of a date in the Gregorian calendar; a year is counted from March.
    private static func day(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let ofEra = year - era * 400
        let ofYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }

    private static func date(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

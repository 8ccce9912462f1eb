import Foundation

/// Times as logs write them: ISO 8601 text, or seconds since 1970.
///
/// Foundation's formatters are far too slow for millions of messages on Linux; this is the part of ISO 8601 that logs use.
/// Times are kept to the microsecond.
public enum Timestamp {
    private static let dayLength: Int64 = 86_400_000_000

    /// `2024-03-01T09:30:00Z`, with a fraction of six digits where there is one. `nil` outside the years 1 to 9999.
    public static func text(of date: Date) -> String? {
        let seconds = date.timeIntervalSince1970
        guard seconds >= -62_135_596_800, seconds < 253_402_300_800 else { return nil }
        let micros = Int64((seconds * 1e6).rounded())
        let day = Int64((Double(micros) / Double(dayLength)).rounded(.down))
        // The division above may round across midnight: put that right in whole numbers.
        var days = day
        if days * dayLength > micros { days -= 1 }
        if (days + 1) * dayLength <= micros { days += 1 }
        let rest = micros - days * dayLength
        let (year, month, dayOfMonth) = civil(days)
        let second = rest / 1_000_000
        let fraction = rest % 1_000_000
        var text =
            "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T\(padded(second / 3600, 2)):"
            + "\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        if fraction != 0 { text += ".\(padded(fraction, 6))" }
        return text + "Z"
    }

    /// Reads `YYYY-MM-DD[T| ]HH:MM[:SS[.fraction]][Z|±HH[:]MM]` or a date alone; without a zone it is UTC.
    public static func date(from text: String) -> Date? {
        var rest = Substring(text).utf8[...]
        func digits(_ count: Int) -> Int64? {
            guard rest.count >= count else { return nil }
            var value: Int64 = 0
            for byte in rest.prefix(count) {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            rest = rest.dropFirst(count)
            return value
        }
        func skip(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2),
            (1...12).contains(month), day >= 1, day <= length(ofMonth: month, year: year)
        else { return nil }
        var seconds = daysSince1970(year, month, day) * 86_400
        var micros: Int64 = 0
        if skip("T") || skip("t") || skip(" ") {
            guard let hour = digits(2), skip(":"), let minute = digits(2), hour < 24, minute < 60 else { return nil }
            seconds += hour * 3600 + minute * 60
            if skip(":") {
                guard let second = digits(2), second <= 60 else { return nil }
                seconds += second
                if skip(".") || skip(",") {
                    var scale: Int64 = 100_000
                    var count = 0
                    while let digit = digits(1) {
                        micros += digit * scale
                        scale /= 10
                        count += 1
                    }
                    guard count > 0 else { return nil }
                }
            }
            if !skip("Z"), !skip("z"), let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                rest = rest.dropFirst()
                guard let hour = digits(2), hour < 24 else { return nil }
                let hasColon = skip(":")
                guard let minute = digits(2) ?? (hasColon ? nil : 0), minute < 60 else { return nil }
                seconds -= (sign == UInt8(ascii: "+") ? 1 : -1) * (hour * 3600 + minute * 60)
            }
        }
        guard rest.isEmpty else { return nil }
        return Date(timeIntervalSince1970: Double(seconds * 1_000_000 + micros) / 1e6)
    }

    /// Reads seconds since 1970, or milliseconds where seconds would lie beyond the year 5138, or microseconds where
    /// milliseconds would.
    public static func date(from number: Double) -> Date {
        let size = number.magnitude
        return Date(timeIntervalSince1970: size >= 1e14 ? number / 1e6 : size >= 1e11 ? number / 1000 : number)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func length(ofMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap day comes last.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The inverse of `daysSince1970`.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

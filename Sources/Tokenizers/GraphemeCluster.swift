/// Where a character as people see it ends (UAX #29), as far as a table of replacements needs it: exact for all that
/// take fewer than six bytes. Longer ones are looked up scalar by scalar, so that their parts may be cut.
enum GraphemeCluster {
    /// The end of the cluster that begins at `start`.
    static func end(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var (value, length) = bytes.scalar(at: start)
        var end = start + length
        if value == 0x0D { return end < bytes.count && bytes[end] == 0x0A ? end + 1 : end }
        if isControl(value) { return end }
        while end < bytes.count {
            let next = bytes.scalar(at: end)
            // What comes before another joins all but a control character.
            guard isExtending(next.value) || (isPrepended(value) && !isControl(next.value)) else {
                // A pictograph after a joiner belongs to the one before: © and ® are the only ones that are short.
                if value == 0x200D, bytes.scalar(at: start).value == 0xA9 || bytes.scalar(at: start).value == 0xAE,
                    Unicode.Scalar(next.value)?.properties.isEmoji ?? false, next.value > 0x39
                {
                    end += next.length
                    value = next.value
                    continue
                }
                break
            }
            (value, length) = next
            end += length
        }
        return end
    }

    private static func isControl(_ value: UInt32) -> Bool {
        if value < 0x20 || (0x7F..<0xA0).contains(value) || value == 0xAD { return true }
        guard value >= 0x600 else { return false }
        switch ScalarTraits.of(value).category {
        case .zl, .zp, .cc: return true
        case .cf: return !isPrepended(value) && !isExtending(value)
        // Reserved for characters that will not show.
        case .cn: return value == 0x2065 || (0xFFF0...0xFFF8).contains(value) || (0xE0000...0xE0FFF).contains(value)
        default: return false
        }
    }

    private static func isExtending(_ value: UInt32) -> Bool {
        guard value >= 0x300 else { return false }
        switch ScalarTraits.of(value).category {
        case .mn, .me: return true
        case .mc:
            switch value {
            case 0x102B, 0x102C, 0x1038, 0x1062...0x1064, 0x1067...0x106D, 0x1083, 0x1087...0x108C, 0x108F,
                0x109A...0x109C, 0x1A61, 0x1A63, 0x1A64, 0xAA7B, 0xAA7D, 0x11720, 0x11721:
                return false
            default: return true
            }
        case .cn:
            // This engine knows Unicode 17, unlike those for patterns.
            guard let scalar = Unicode.Scalar(value), !scalar.isNewer(than: (17, 0)) else { return false }
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .spacingMark, .enclosingMark: return true
            default: return false
            }
        default:
            switch value {
            case 0x200C, 0x200D, 0xE33, 0xEB3, 0xFF9E, 0xFF9F, 0x1F3FB...0x1F3FF, 0xE0020...0xE007F: return true
            default: return false
            }
        }
    }

    private static func isPrepended(_ value: UInt32) -> Bool {
        switch value {
        case 0x600...0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0xD4E, 0x110BD, 0x110CD, 0x111C2, 0x111C3, 0x1193F,
            0x11941, 0x11A3A, 0x11A84...0x11A89, 0x11D46, 0x11F02:
            true
        default: false
        }
    }
}

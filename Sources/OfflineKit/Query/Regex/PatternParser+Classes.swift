// What stands for one scalar, or for a set of them: escapes and classes in brackets.
import OfflineDocuments

extension PatternParser {
    /// `\d`, `\.` and all else that begins with a backslash, outside of brackets.
    mutating func escape() throws(OfflineError) -> PatternNode {
        if let named = try namedClass() {
            return .set(ScalarClass(named: named, ignoresCase: flags.ignoresCase))
        }
        position += 1
        guard let scalar = current else { throw mistake("it ends with a backslash") }
        let assertion: PatternAssertion? =
            switch scalar {
            case "b": .wordBoundary
            case "B": .noWordBoundary
            case "A" where syntax == .common: .textStart
            case "z" where syntax == .common: .textEnd
            case "Z" where syntax == .common: .textEndOrFinalNewline
            default: nil
            }
        if let assertion {
            position += 1
            return .assertion(assertion)
        }
        if "1"..."9" ~= scalar || scalar == "k" || scalar == "g" {
            throw mistake(
                "backreferences aren't supported, as they can't be matched in time linear in the text"
            )
        }
        return .scalar(try escapedScalar(), ignoresCase: flags.ignoresCase)
    }

    /// `\d`, `\D`, `\p{L}` and so on; nil, and nothing is read, for anything else.
    private mutating func namedClass() throws(OfflineError) -> ScalarSet? {
        let start = position
        position += 1
        guard let scalar = current else {
            position = start
            return nil
        }
        position += 1
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.inverted
        case "w": return .wordScalars
        case "W": return ScalarSet.wordScalars.inverted
        case "s": return space
        case "S": return space.inverted
        case "p": return try category()
        case "P": return try category().inverted
        default:
            position = start
            return nil
        }
    }

    private var space: ScalarSet { syntax == .common ? .space : .unicodeSpace }

    /// `{Lu}` or `L`, behind `\p`.
    private mutating func category() throws(OfflineError) -> ScalarSet {
        var name = String.UnicodeScalarView()
        let isInBraces = skip("{")
        while isInBraces || syntax == .common, let scalar = current,
            ScalarSet.wordScalars.contains(scalar.value)
        {
            name.append(scalar)
            position += 1
            if !isInBraces { break }
        }
        guard !isInBraces || skip("}"), let set = ScalarSet(category: String(name)) else {
            throw mistake(
                "\\p takes a general category of Unicode, such as \\p{L} or \\p{Lu}")
        }
        return set
    }

    /// The scalar that an escape stands for, from behind its backslash on.
    private mutating func escapedScalar() throws(OfflineError) -> UInt32 {
        guard let scalar = current else { throw mistake("it ends with a backslash") }
        position += 1
        switch scalar {
        case "t": return 0x09
        case "n": return 0x0A
        case "v": return 0x0B
        case "f": return 0x0C
        case "r": return 0x0D
        case "0":
            if let next = current, ScalarSet.digits.contains(next.value) {
                throw mistake("octal escapes aren't supported; write \\x{…}")
            }
            return 0
        case "x": return try hexadecimal(digits: 2, mayBeInBraces: syntax == .common)
        case "u":
            if let scalar = surrogatePair() { return scalar }
            return try hexadecimal(digits: 4)
        case "c" where syntax == .javaScript: return try control()
        default: break
        }
        // Letters and digits are kept for what they may mean elsewhere.
        guard !ScalarSet.wordScalars.contains(scalar.value) || scalar == "_" else {
            position -= 1
            throw mistake("\\\(scalar) is no escape that is known")
        }
        return scalar.value
    }

    /// The control character that a letter behind `\c` names.
    private mutating func control() throws(OfflineError) -> UInt32 {
        guard let letter = current, letter.isASCII, letter.properties.isAlphabetic else {
            throw mistake("\\c takes a letter")
        }
        position += 1
        return letter.value & 0x1F
    }

    /// Behind `\u`: the two halves of one scalar, `D83D\uDC32`; nil, and nothing is read, for anything else.
    private mutating func surrogatePair() -> UInt32? {
        let start = position
        if let high = half(in: 0xD800...0xDBFF), skip("\\u"), let low = half(in: 0xDC00...0xDFFF) {
            return 0x10000 + (high & 0x3FF) << 10 + (low & 0x3FF)
        }
        position = start
        return nil
    }

    private mutating func half(in range: ClosedRange<UInt32>) -> UInt32? {
        let digits = String(String.UnicodeScalarView(scalars[position...].prefix(4)))
        guard syntax == .javaScript, digits.utf8.count == 4, !digits.hasPrefix("+"),
            let value = UInt32(digits, radix: 16), range.contains(value)
        else { return nil }
        position += 4
        return value
    }

    /// So many hexadecimal digits, or any number of them in braces.
    private mutating func hexadecimal(
        digits: Int, mayBeInBraces: Bool = true
    ) throws(OfflineError) -> UInt32 {
        let isInBraces = mayBeInBraces && skip("{")
        let countMax = isInBraces ? 6 : digits
        var value: UInt32 = 0
        var count = 0
        while count < countMax, let scalar = current, scalar.isASCII,
            let digit = Character(scalar).hexDigitValue
        {
            value = value << 4 | UInt32(digit)
            position += 1
            count += 1
        }
        guard isInBraces ? count > 0 && skip("}") : count == digits, Unicode.Scalar(value) != nil
        else { throw mistake("an escape by number has the wrong digits, or is no scalar") }
        return value
    }

    // MARK: Brackets

    /// `[…]`. A `]` that comes first stands for itself, as in PCRE, or, in JavaScript, ends a class that has nothing in it.
    mutating func bracketedClass() throws(OfflineError) -> ScalarClass {
        position += 1
        var result = ScalarClass(named: ScalarSet(), ignoresCase: flags.ignoresCase)
        result.isInverted = skip("^")
        var ranges: [ClosedRange<UInt32>] = []
        var isFirst = syntax == .common
        while isFirst || !isNext("]") {
            isFirst = false
            guard let low = try member(&result) else { continue }
            guard isNext("-"), !isNext("-]") else {
                ranges.append(low...low)
                continue
            }
            position += 1
            guard let high = try member(&result) else {
                throw mistake("a class can't end a range")
            }
            guard low <= high else { throw mistake("a range's first is above its last") }
            ranges.append(low...high)
        }
        position += 1
        result.listed = ScalarSet(ranges)
        return result
    }

    /// One scalar of a class; nil for a named class, which is added.
    private mutating func member(_ result: inout ScalarClass) throws(OfflineError) -> UInt32? {
        guard let scalar = current else { throw mistake("a \"]\" is missing") }
        if scalar == "[", isNext("[:") || isNext("[.") || isNext("[=") {
            throw mistake("classes by name, such as [:alpha:], aren't supported")
        }
        guard scalar == "\\" else {
            position += 1
            return scalar.value
        }
        if let named = try namedClass() {
            result.named.formUnion(named)
            if isNext("-"), !isNext("-]") { throw mistake("a class can't begin a range") }
            return nil
        }
        position += 1
        if skip("b") { return 0x08 }
        return try escapedScalar()
    }
}

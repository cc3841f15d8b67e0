// Colours, where the output has them: a few, for what the eye looks for.

/// How a piece of text stands out.
enum Style: String {
    case heading = "1"
    case faint = "2"
    case good = "32"
    case bad = "31"
    case accent = "36"
}

extension Output {
    /// `text` in the style, or as it is where there are no colours.
    func styled(_ text: String, _ style: Style) -> String {
        hasColors ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}

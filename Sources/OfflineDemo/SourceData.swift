// The demo's data, as two Debian packages install them: iso-codes (countries, their subdivisions, languages, currencies, scripts)
// and tzdata (time zones by country).
internal import Foundation

/// What was read, as plain values: the demo's own truth.
struct SourceData {
    struct Country: Codable {
        var alpha_2: String
        var alpha_3: String
        var name: String
        var official_name: String?
        var numeric: String
        var flag: String
    }
    struct Subdivision: Codable {
        var code: String
        var name: String
        var type: String
        /// The code of the subdivision that it is a part of.
        var parent: String?
        /// The country's code; not in the file, it is how the code begins.
        var country: String?
    }
    struct Language: Codable {
        var alpha_3: String
        var name: String
        var scope: String
        var type: String
        var alpha_2: String?
    }
    struct Currency: Codable {
        var alpha_3: String
        var name: String
        var numeric: String
    }
    struct Script: Codable {
        var alpha_4: String
        var name: String
        var numeric: String
    }
    struct TimeZone: Codable {
        var name: String
        var country: String
        /// Degrees; north and east are positive.
        var latitude: Double
        var longitude: Double
        var comment: String?
    }

    var isoCodesFolder: String
    var timeZoneFile: String
    /// Bytes of all files read.
    var bytesRead = 0
    var countries: [Country] = []
    var subdivisions: [Subdivision] = []
    var languages: [Language] = []
    var currencies: [Currency] = []
    var scripts: [Script] = []
    var timeZones: [TimeZone] = []

    private static let isoCodesFolders = [
        "/usr/share/iso-codes/json", "/opt/homebrew/share/iso-codes/json",
        "/usr/local/share/iso-codes/json",
    ]
    private static let timeZoneFiles = [
        "/usr/share/zoneinfo/zone.tab", "/usr/share/zoneinfo/zone1970.tab",
    ]

    /// Reads all of it.
    static func read() throws -> SourceData {
        var data = SourceData(
            isoCodesFolder: try existing(isoCodesFolders, package: "iso-codes"),
            timeZoneFile: try existing(timeZoneFiles, package: "tzdata"))
        data.countries = try data.list("3166-1")
        data.subdivisions = try data.list("3166-2", of: Subdivision.self).map { subdivision in
            var subdivision = subdivision
            let country = String(subdivision.code.prefix(2))
            subdivision.country = country
            // The files give a parent without the country.
            subdivision.parent = subdivision.parent.map {
                $0.contains("-") ? $0 : "\(country)-\($0)"
            }
            return subdivision
        }
        data.languages = try data.list("639-3")
        data.currencies = try data.list("4217")
        data.scripts = try data.list("15924")
        let table = try Data(contentsOf: URL(filePath: data.timeZoneFile))
        data.bytesRead += table.count
        data.timeZones = try TimeZoneTable.parse(String(decoding: table, as: UTF8.self))
        return data
    }

    private static func existing(_ paths: [String], package: String) throws -> String {
        if let path = paths.first(where: FileManager.default.fileExists) { return path }
        throw MissingData(
            description:
                "the data of the package \(package) isn't at \(paths.joined(separator: " or ")); `make setup` installs it"
        )
    }

    /// The list in one file of iso-codes: an object with one member, named for the standard's part.
    private mutating func list<Element: Decodable>(
        _ part: String, of type: Element.Type = Element.self
    ) throws -> [Element] {
        let file = URL(filePath: isoCodesFolder).appending(path: "iso_\(part).json")
        let bytes = try Data(contentsOf: file)
        bytesRead += bytes.count
        guard let list = try JSONDecoder().decode([String: [Element]].self, from: bytes)[part]
        else {
            throw MissingData(description: "\(file.path()) has no list \"\(part)\"")
        }
        return list
    }
}

/// Data that should be on this machine and aren't, or aren't as expected.
struct MissingData: Error, CustomStringConvertible {
    let description: String
}

/// tzdata's table: country codes, coordinates in ISO 6709, name, comment; tabs between.
enum TimeZoneTable {
    static func parse(_ text: String) throws -> [SourceData.TimeZone] {
        try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let columns = line.split(separator: "\t").map(String.init)
            guard columns.count >= 3, let country = columns[0].split(separator: ",").first,
                let (latitude, longitude) = coordinates(columns[1])
            else { throw MissingData(description: "not a time zone: \(line)") }
            return SourceData.TimeZone(
                name: columns[2], country: String(country), latitude: latitude,
                longitude: longitude, comment: columns.count > 3 ? columns[3] : nil)
        }
    }

    /// `+4230+00131`, or with seconds `-690022+0393524`.
    private static func coordinates(_ text: String) -> (Double, Double)? {
        guard let split = text.dropFirst().firstIndex(where: { $0 == "+" || $0 == "-" }),
            let latitude = degrees(text[..<split], degreeDigits: 2),
            let longitude = degrees(text[split...], degreeDigits: 3)
        else { return nil }
        return (latitude, longitude)
    }

    private static func degrees(_ text: Substring, degreeDigits: Int) -> Double? {
        let digits = text.dropFirst()
        guard let whole = Double(digits.prefix(degreeDigits)),
            let minutes = Double(digits.dropFirst(degreeDigits).prefix(2))
        else { return nil }
        let seconds = Double(digits.dropFirst(degreeDigits + 2)) ?? 0
        let value = whole + minutes / 60 + seconds / 3600
        return text.first == "-" ? -value : value
    }
}

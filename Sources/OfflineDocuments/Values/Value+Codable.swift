// Values and documents through anybody's encoders and decoders: JSONEncoder, PropertyListDecoder, and so on.
//
// Dates and data go through the coder's own handling of them (JSONEncoder: its strategies), so a format that knows them brings
// them back, and from JSON come the numbers or strings that the strategy wrote. `json()` and `init(json:)` are the store's own
// JSON, with its own rules. A number is an int if the coder can give an Int64, else a double. NaN and infinities are the
// coder's business too: JSONEncoder throws unless told how to write them. Fields have the order in which the coder lists its keys;
// JSONDecoder keeps none.
//
// The store's own coders (ValueEncoder.swift, ValueDecoder.swift) hand values through unchanged.
internal import Foundation

extension Value: Codable {
    /// Decodes whatever single value, list or keyed container the decoder has.
    ///
    /// - Throws: `DecodingError` for what is none of these.
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? ValueDecoder {
            self = decoder.value
        } else if let single = try? decoder.singleValueContainer(), let value = Value(basic: single)
        {
            self = value
        } else if var list = try? decoder.unkeyedContainer() {
            var elements: [Value] = []
            while !list.isAtEnd { elements.append(try list.decode(Value.self)) }
            self = .array(elements)
        } else if let fields = try? decoder.container(keyedBy: FieldKey.self) {
            self = .object(try Document(decoding: fields))
        } else {
            // After all that JSON has: a decoder of JSON would take a number for a date.
            let single = try decoder.singleValueContainer()
            if let date = try? single.decode(Date.self) {
                self = .date(date)
            } else if let data = try? single.decode(Data.self) {
                self = .data(data)
            } else {
                throw DecodingError.typeMismatch(
                    Value.self,
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "no value that a document can hold"))
            }
        }
    }

    /// A value of the kinds that every decoder knows; nil for others.
    private init?(basic container: any SingleValueDecodingContainer) {
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else {
            return nil
        }
    }

    /// Encodes the value as what it holds.
    ///
    /// - Throws: What the encoder throws, such as JSONEncoder for NaN.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
            return
        case .object(let document):
            try document.encode(to: encoder)
            return
        default: break
        }
        var container = encoder.singleValueContainer()
        switch self {
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .data(let value): try container.encode(value)
        case .date(let value): try container.encode(value)
        case .null, .array, .object: try container.encodeNil()
        }
    }
}

extension Document: Codable {
    /// Decodes a keyed container; its fields are in the order of the decoder's keys.
    ///
    /// - Throws: `DecodingError` for anything else.
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? ValueDecoder {
            self = try decoder.object()
        } else {
            try self.init(decoding: decoder.container(keyedBy: FieldKey.self))
        }
    }

    fileprivate init(decoding container: KeyedDecodingContainer<FieldKey>) throws {
        self.init(
            fields: try container.allKeys.map { key in
                (key.stringValue, try container.decode(Value.self, forKey: key))
            })
    }

    /// Encodes the fields into a keyed container.
    ///
    /// - Throws: What the encoder throws, such as JSONEncoder for NaN.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: FieldKey.self)
        for (name, value) in self { try container.encode(value, forKey: FieldKey(name)) }
    }
}

/// A field's name, or an element's position, as a coding key.
struct FieldKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }

    init(position: Int) {
        stringValue = "\(position)"
        intValue = position
    }

    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(position: intValue) }

    /// Where a class puts what its superclass encodes.
    static let superclass = FieldKey("super")
}

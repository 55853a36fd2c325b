import CHiredis

/// The version of hiredis, whose parser reads the replies.
package enum HiredisVersion {
    package static let text = "\(HIREDIS_MAJOR).\(HIREDIS_MINOR).\(HIREDIS_PATCH)"
}

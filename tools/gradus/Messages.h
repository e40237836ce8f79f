// How messages reach the user on stderr: as text, with colours on a terminal,
// or, with --diagnostics=json, as JSON for editors, one object a line
// (docs/Diagnostics.md). Every verb writes its messages through here.
#pragma once

#include "compiler/Diagnostics.h"
#include "runtime/Error.h"

#include <nlohmann/json.hpp>

namespace gradus {

/// Looks for --diagnostics among the words of the command line. To be called
/// before they are parsed: what is wrong with them is said in that format.
void chooseMessageFormat(int argc, char **argv);

/// Whether stderr holds nothing but JSON.
bool messagesAreJson();

/// All messages, in the chosen format, as they go to stderr.
std::string messageText(const Diagnostics &diagnostics);
std::string messageText(const Error &error);

/// Writes a message to stderr.
void showError(const Error &error);
/// One that is no error and has no code.
void showNote(const std::string &text);

/// One message in the layout of rustc's JSON.
nlohmann::ordered_json jsonOf(const Diagnostic &message);

} // namespace gradus

#pragma once

/// How good a network is, besides its loss, for people and for programs.

#include <string>
#include <string_view>

#include <daig/train/evaluate.hpp>

#include "json.hpp"

namespace daig::launcher {

/// ", accuracy 0.9876, mae 0.1234": what there is of accuracy, mse and mae.
std::string judgements_of(const train::Quality& quality);

/// The same as members of an object, their names behind this prefix.
void add_judgements(JsonObject& json, const train::Quality& quality, std::string_view prefix);

}  // namespace daig::launcher

// Summaries: for people, and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "estab/stats.h"
#include "estab/time.h"

namespace estab::app {

// The parts of the JSON object that every command has.
nlohmann::json packets_json(const Stats& stats);
nlohmann::json cookies_json(const Stats& stats);
nlohmann::json connections_json(const Stats& stats);
// {cycles_per_connection, ns_per_connection, cycles_per_packet, ...}; TSC cycles of the polls that had something to do.
nlohmann::json cycles_json(const Stats& stats, uint64_t connections);

// Lines for the terminal.
std::string cycles_line(const std::string& who, const Stats& stats, uint64_t connections);
std::string counts_line(const std::map<std::string, uint64_t>& counts);  // "a 1, b 2", or "none"
std::string packets_line(const Stats& stats);
std::string cookies_line(const Stats& stats);
std::string thousands(uint64_t number);  // 1,234,567

// False, and a sentence on stderr, when the file can't be written. An empty name writes nothing.
bool write_json(const std::string& file, const nlohmann::json& object);

}  // namespace estab::app

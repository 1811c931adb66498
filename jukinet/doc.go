// Package jukinet is the registry network (住民基本台帳ネットワーク, 住基ネット): the identification data
// (本人確認情報) of everybody in the country and what changed in it.
//
// The real network has a server in each prefecture (都道府県サーバ) and a national one (全国サーバ). Here
// one actor is both: the prefecture is a column of each record, and nothing asks for it apart. A
// country that wants them apart runs the same package once per prefecture and relays their feeds.
//
// It owns the latest record of each person with the two numbers, the log of all notices with how
// long each is kept, the numbers designated to towns, and what was passed on. It follows topic
// "residents" of every municipality in the directory, and checks each notice against the record
// before it believes it; what contradicts the record is parked and alarmed, never dropped.
//
// Its feeds: to J-LIS the changes without any number, and how far each town's feed was passed on;
// to each town the moving-out certificates of those who come, word of those who have arrived
// elsewhere, and numbers for new residents. Nobody reads another's topic. It must never hold a
// certificate, and never send My Number or resident code to anybody but a municipality.
package jukinet
